//! The real binary in a pseudo-terminal: whatever ends it, the terminal is left clean.

use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use vintner::terminal::Tty;

use crate::support::pty::Pty;

fn start(args: &[&str], env: &[(&str, &str)]) -> (tempfile::TempDir, Pty) {
    let home = tempfile::tempdir().unwrap();
    let pty = Pty::vintner(home.path(), args, env);
    pty.see("SANDBOX");
    (home, pty)
}

#[test]
fn it_opens_shows_every_tab_and_quits_clean() {
    let (_home, mut pty) = start(&[], &[]);
    for (key, tab) in [
        ("1", "Predict"),
        ("2", "Logs"),
        ("3", "Lambda"),
        ("4", "Retrain"),
    ] {
        pty.send(key);
        pty.see(tab);
    }
    pty.send("?");
    pty.see("Keys");
    pty.send("\x1b");
    pty.wait("closing the help", || !pty.text().contains("Keys ·"));
    pty.send("\x03");
    assert!(pty.end().success());
    assert!(pty.is_clean(), "{:?}", pty.raw());
}

#[test]
fn signals_mean_quit() {
    for signal in ["TERM", "HUP", "INT"] {
        let (_home, mut pty) = start(&[], &[]);
        pty.signal(signal);
        assert!(pty.end().success(), "{signal}");
        assert!(pty.is_clean(), "{signal}: {:?}", pty.raw());
    }
}

#[test]
fn a_terminal_that_vanishes_ends_it_without_a_panic() {
    if is_child() {
        let (home, pty) = start(&[], &[]);
        ends_without_a_terminal(&home, pty);
        return;
    }
    alone("a_terminal_that_vanishes_ends_it_without_a_panic");
}

/// In a session of its own no signal comes when the terminal goes.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_vanishes_without_a_signal_ends_it_as_well() {
    if is_child() {
        let home = tempfile::tempdir().unwrap();
        let mut deaf = CommandBuilder::new("/bin/sh");
        let binary = env!("CARGO_BIN_EXE_vintner");
        deaf.args(["-c", "trap '' HUP; setsid --wait \"$0\"", binary]);
        let pty = Pty::spawn(deaf, home.path(), &[("PATH", "/usr/bin:/bin")]);
        pty.see("SANDBOX");
        ends_without_a_terminal(&home, pty);
        return;
    }
    alone("a_terminal_that_vanishes_without_a_signal_ends_it_as_well");
}

fn ends_without_a_terminal(home: &tempfile::TempDir, mut pty: Pty) {
    pty.hang_up();
    // 0 where the hang-up was noticed first, 1 where a draw failed first; a panic is 101.
    assert!(pty.end().exit_code() <= 1);
    let log = home.path().join(".local/state/vintner/vintner.log");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("the terminal is gone"), "{log}");
    assert!(!log.contains("panic"), "{log}");
}

/// Runs a test of this file in a process of its own: a program that another test starts meanwhile could
/// inherit the terminal and keep it open.
fn alone(test: &str) {
    let alone = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("terminal::{test}")])
        .args(["--nocapture", "--test-threads=1"])
        .env("VINTNER_TEST_CHILD", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&alone.stderr);
    assert!(alone.status.success(), "{said}");
}

#[test]
fn without_the_mouse_the_terminal_keeps_it() {
    for (args, asked) in [(&[][..], true), (&["--no-mouse"], false)] {
        let (_home, mut pty) = start(args, &[]);
        pty.send("\x03");
        assert!(pty.end().success());
        assert_eq!(pty.raw().contains("\x1b[?1000h"), asked, "{args:?}");
        assert!(pty.is_clean(), "{args:?}");
    }
}

/// Half a sequence: the reader waits for the rest of it, the screen does not.
#[test]
fn half_a_key_does_not_stop_the_screen() {
    let (_home, mut pty) = start(&[], &[]);
    pty.send("\x1b[200~half a paste");
    pty.resize(58, 15);
    pty.see("60×16 needed, have 58×15");
    pty.resize(100, 30);
    pty.see("SANDBOX");
    pty.send("\x1b[201~\x03");
    assert!(pty.end().success());
}

#[test]
fn quitting_is_quick() {
    let (_home, mut pty) = start(&[], &[]);
    let asked = Instant::now();
    pty.send("\x03");
    pty.end();
    // A generous bound for a loaded machine; the bench has the figure.
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
}

#[test]
fn a_resize_storm_ends_where_it_should() {
    let (_home, mut pty) = start(&[], &[]);
    for (cols, rows) in [
        (200, 60),
        (1, 1),
        (40, 10),
        (300, 100),
        (59, 15),
        (2, 50),
        (80, 24),
    ] {
        pty.resize(cols, rows);
    }
    pty.see("SANDBOX");
    pty.resize(42, 12);
    pty.see("60×16 needed, have 42×12");
    pty.send("\x03");
    assert!(pty.end().success());
}

#[cfg(target_os = "linux")]
#[test]
fn suspend_gives_the_terminal_back_and_resume_takes_it_again() {
    let (_home, mut pty) = start(&[], &[]);
    pty.send("\x1a");
    let stat = format!("/proc/{}/stat", pty.pid());
    pty.wait("stopping", || {
        std::fs::read_to_string(&stat)
            .unwrap_or_default()
            .contains(") T ")
    });
    pty.wait("a clean terminal", || pty.is_clean());
    pty.signal("CONT");
    pty.wait("the screen again", || !pty.is_clean());
    pty.see("SANDBOX");
    pty.send("2");
    pty.see("Logs");
    pty.send("\x03");
    assert!(pty.end().success());
    assert!(pty.is_clean());
}

#[cfg(target_os = "linux")]
#[test]
fn the_shell_hears_every_key_while_it_is_suspended() {
    let home = tempfile::tempdir().unwrap();
    let mut shell = CommandBuilder::new("/bin/sh");
    shell.arg("-i");
    let mut pty = Pty::spawn(shell, home.path(), &[("PS1", "ready> ")]);
    pty.see("ready>");
    pty.send(&format!("{}\n", env!("CARGO_BIN_EXE_vintner")));
    pty.see("SANDBOX");
    pty.send("\x1a");
    pty.wait("a clean terminal", || pty.is_clean());
    for n in 1..=5 {
        // Read and computed by the shell: not one byte went to the program that sleeps.
        pty.send(&format!("echo sum-$(({n}00+{n}))-of-{n}\n"));
        pty.see(&format!("sum-{n}0{n}-of-{n}"));
    }
    pty.send("fg\n");
    pty.see("SANDBOX");
    pty.send("2");
    pty.see("requests");
    pty.send("\x03");
    pty.wait("the shell again", || pty.is_clean());
    pty.send("exit\n");
    pty.end();
}

#[test]
fn a_home_that_cannot_be_written_is_said_on_the_screen() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".local")).unwrap();
    std::fs::write(home.path().join(".local/state"), "a file, not a folder").unwrap();
    let mut pty = Pty::vintner(home.path(), &[], &[]);
    pty.see("cannot be written");
    pty.see("SANDBOX");
    pty.send("\x1b");
    pty.wait("the hints again", || pty.text().contains("? help"));
    pty.send("\x03");
    assert!(pty.end().success());
}

#[test]
fn no_color_means_no_colour_but_still_a_selection() {
    let (_home, mut pty) = start(&[], &[("NO_COLOR", "1")]);
    pty.send("\x03");
    pty.end();
    let raw = pty.raw();
    let coloured = raw.split("\x1b[").any(|escape| {
        let parameters = escape
            .split_once('m')
            .map_or("", |(parameters, _)| parameters);
        parameters.split(';').any(|p| {
            p.parse::<u8>().is_ok_and(|p| {
                (30..38).contains(&p) || (40..48).contains(&p) || (90..108).contains(&p)
            })
        })
    });
    assert!(!coloured, "{raw:?}");
    assert!(
        raw.contains("\x1b[7m") || raw.contains(";7m"),
        "no reverse video left: {raw:?}"
    );
}

/// Runs one of the two functions below in a child process in a pseudo-terminal.
fn child(test: &str) -> (tempfile::TempDir, Pty) {
    let home = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    let pty = Pty::spawn(command, home.path(), &[("VINTNER_TEST_CHILD", "1")]);
    (home, pty)
}

fn is_child() -> bool {
    std::env::var_os("VINTNER_TEST_CHILD").is_some()
}

#[test]
fn a_panic_on_the_ui_thread_leaves_the_screen_before_its_message() {
    if is_child() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let _tty = Tty::enter(true).unwrap();
            panic!("the grapes are sour");
        });
    }
    let (_home, mut pty) =
        child("terminal::a_panic_on_the_ui_thread_leaves_the_screen_before_its_message");
    assert!(!pty.end().success());
    let raw = pty.raw();
    let (left, message) = (
        raw.find("\x1b[?1049l").unwrap(),
        raw.find("the grapes are sour").unwrap(),
    );
    assert!(left < message, "{raw:?}");
    assert!(pty.is_clean());
}

#[test]
fn a_panic_in_the_background_leaves_the_screen_alone() {
    if is_child() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let tty = Tty::enter(true).unwrap();
            let crashed = tokio::spawn(async { panic!("behind the scenes") }).await;
            assert!(crashed.is_err());
            print!("STILL HERE");
            drop(tty);
        });
        return;
    }
    let (_home, mut pty) = child("terminal::a_panic_in_the_background_leaves_the_screen_alone");
    assert!(pty.end().success(), "{:?}", pty.raw());
    let raw = pty.raw();
    assert_eq!(raw.matches("\x1b[?1049l").count(), 1, "{raw:?}");
    assert!(raw.find("STILL HERE").unwrap() < raw.find("\x1b[?1049l").unwrap());
    assert!(!raw.contains("behind the scenes"), "{raw:?}");
}
