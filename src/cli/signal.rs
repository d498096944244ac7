//! What ends a command that would go on.

/// Ctrl-C or SIGTERM: an end like any other.
#[cfg(unix)]
pub(super) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(super) async fn interrupted() {
    drop(tokio::signal::ctrl_c().await);
}
