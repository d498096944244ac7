//! A proxy that holds every request until a test lets go: what is asked before what is a matter of order, not of time.

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use tokio::sync::watch;
use url::Url;

use super::loopback::{Heard, Loopback};

/// So long a machine with much else to do may take to ask.
const PATIENCE: Duration = Duration::from_mins(1);

/// Who waits, and how often all were let go.
#[derive(Default)]
struct Held {
    names: Vec<String>,
    waves: usize,
    open: bool,
}

/// The proxy.
pub struct Holding {
    loopback: Loopback,
    held: watch::Sender<Held>,
}

impl Holding {
    /// Stands in front of a server and holds what is sent to it.
    pub async fn before(server: &str) -> Self {
        let (held, _) = watch::channel(Held::default());
        let (server, client, doors) = (server.to_owned(), reqwest::Client::new(), held.clone());
        let loopback = Loopback::start(move |heard: Heard| {
            let (server, client, doors) = (server.clone(), client.clone(), doors.clone());
            async move {
                let mut wave = 0;
                doors.send_modify(|held| {
                    held.names.push(name(&heard));
                    wave = held.waves;
                });
                let mut held = doors.subscribe();
                let _ = held.wait_for(|held| held.open || held.waves > wave).await;
                forward(&client, &server, heard).await
            }
        })
        .await;
        Self { loopback, held }
    }

    /// Where it listens.
    pub fn url(&self) -> Url {
        self.loopback.url().parse().unwrap()
    }

    /// Waits until all of these are held at once, and lets everything go.
    pub async fn release(&self, wanted: &[&str]) {
        let mut held = self.held.subscribe();
        let all = |held: &Held| {
            let is_held = |name: &&&str| held.names.iter().any(|held| held.starts_with(**name));
            wanted.iter().filter(is_held).count() == wanted.len()
        };
        // What it gives back would keep the next change out.
        let come = tokio::time::timeout(PATIENCE, held.wait_for(all))
            .await
            .is_ok();
        assert!(
            come,
            "of {wanted:?} only these are asked before the others are answered: {:?}",
            self.held.borrow().names
        );
        self.held.send_modify(|held| {
            held.names.clear();
            held.waves += 1;
        });
    }

    /// Lets everything go from now on.
    pub fn open(&self) {
        self.held.send_modify(|held| held.open = true);
    }

    /// What is held now.
    pub fn names(&self) -> Vec<String> {
        self.held.borrow().names.clone()
    }
}

/// The operation: of the target header, of the form, or method and path.
fn name(heard: &Heard) -> String {
    let target = heard.header("x-amz-target");
    let body = String::from_utf8_lossy(&heard.body);
    let action = body
        .split('&')
        .find_map(|pair| pair.strip_prefix("Action="));
    let named = heard.path.split_once("/operation/");
    match (target.rsplit_once('.').or(named), action) {
        (Some((_, operation)), _) => operation.to_owned(),
        (None, Some(action)) => action.to_owned(),
        (None, None) => format!("{} {}", heard.method, heard.path),
    }
}

async fn forward(client: &reqwest::Client, server: &str, heard: Heard) -> Response<Body> {
    let url = format!("{}{}", server.trim_end_matches('/'), heard.path);
    let mut headers = heard.headers;
    headers.remove("content-length");
    let asked = client.request(heard.method, url).headers(headers);
    let answer = asked.body(heard.body).send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" && name != "content-length" {
            response = response.header(name, value);
        }
    }
    response.body(answer.bytes().await.unwrap().into()).unwrap()
}
