//! What a person feels of the program itself: first frame, idle CPU, a key's effect while log lines pour in, quitting; measured on the real binary in a
//! pseudo-terminal, beside `sh -c true` in the same pseudo-terminal. Linux only (it reads `/proc`).

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const RUNS: usize = 7;
const IDLE: Duration = Duration::from_secs(10);
const KEYS: usize = 200;
const PATIENCE: Duration = Duration::from_secs(20);

struct Run {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    // Dropping it hangs up.
    _master: Box<dyn MasterPty + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    started: Instant,
}

fn start(home: &Path, program: &str, args: &[&str]) -> Run {
    let mut command = CommandBuilder::new(program);
    command.args(args);
    command.env_clear();
    command.env("PATH", "/usr/bin:/bin");
    command.env("HOME", home);
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    let size = PtySize {
        rows: 36,
        cols: 120,
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let started = Instant::now();
    let child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let (sender, output) = channel();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65536];
        while let Ok(n @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    Run {
        child,
        keyboard: pair.master.take_writer().unwrap(),
        _master: pair.master,
        output,
        screen: vt100::Parser::new(
            size.rows.try_into().unwrap(),
            size.cols.try_into().unwrap(),
            0,
        ),
        started,
    }
}

impl Run {
    /// Waits until `text` is on the screen, and says how long after the start that was.
    fn until(&mut self, text: &str) -> Duration {
        self.until_screen(text, |screen| screen.contains(text));
        self.started.elapsed()
    }

    fn until_screen(&mut self, what: &str, is_so: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !is_so(&self.screen.screen().contents()) {
            assert!(began.elapsed() < PATIENCE, "{what:?} is not shown");
            let bytes = self.output.recv_timeout(PATIENCE).unwrap();
            self.screen.process(&bytes);
        }
    }

    fn cpu(&self) -> Duration {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.process_id().unwrap()))
                .unwrap();
        let after_name = stat.rsplit_once(") ").unwrap().1;
        let ticks: u64 = after_name
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().unwrap())
            .sum();
        Duration::from_millis(ticks * 10)
    }

    fn press(&mut self, key: &[u8]) {
        self.keyboard.write_all(key).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// From a key to the frame that shows its effect: `?` opens the keys, another closes them.
    fn key_to_paint(&mut self) -> Duration {
        // A person looks before the next key: this one must not wait for the frame of the last.
        std::thread::sleep(Duration::from_millis(50));
        let pressed = Instant::now();
        self.press(b"?");
        self.until("Keys · ");
        let painted = pressed.elapsed();
        self.press(b"?");
        self.until_screen("the tab alone", |screen| !screen.contains("Keys · "));
        painted
    }

    fn quit(mut self) -> Duration {
        let asked = Instant::now();
        self.press(b"\x03");
        self.child.wait().unwrap();
        asked.elapsed()
    }
}

fn median(mut figures: Vec<Duration>) -> Duration {
    figures.sort();
    figures[figures.len() / 2]
}

fn main() {
    let home = tempfile::tempdir().unwrap();
    let binary = env!("CARGO_BIN_EXE_vintner");
    let (mut shell, mut first, mut connected, mut quit) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut run = start(home.path(), "sh", &["-c", "true"]);
        run.child.wait().unwrap();
        shell.push(run.started.elapsed());
        let mut run = start(home.path(), binary, &[]);
        first.push(run.until("Predict"));
        connected.push(run.until("SANDBOX"));
        quit.push(run.quit());
    }
    println!("startup, medians of {RUNS} runs");
    println!("  sh -c true, start to end      {:>8.1?}", median(shell));
    println!("  vintner, start to first frame {:>8.1?}", median(first));
    println!(
        "  vintner, start to connected   {:>8.1?}",
        median(connected)
    );
    println!("  vintner, quit key to end      {:>8.1?}", median(quit));
    for (what, args) in [
        ("no traffic", &["--rate", "0"][..]),
        ("1 prediction/s", &["--rate", "1"][..]),
    ] {
        let mut run = start(home.path(), binary, args);
        run.until("SANDBOX");
        // The first model is trained and the first reads are made before anybody is idle.
        std::thread::sleep(Duration::from_secs(5));
        let before = run.cpu();
        std::thread::sleep(IDLE);
        let share = run.cpu().checked_sub(before).unwrap().as_secs_f64() / IDLE.as_secs_f64();
        println!(
            "  idle CPU over {IDLE:?}, sandbox with {what}: {:.1} %",
            share * 100.0
        );
        run.quit();
    }
    for (what, args) in [
        ("no traffic", &["--rate", "0"][..]),
        ("1000 log lines/s", &["--incident", "log-flood"][..]),
    ] {
        let mut run = start(home.path(), binary, args);
        run.until("SANDBOX");
        run.press(b"2");
        // Ten thousand lines are on the screen's tab when the first key comes.
        std::thread::sleep(Duration::from_secs(10));
        let mut paints: Vec<Duration> = (0..KEYS).map(|_| run.key_to_paint()).collect();
        paints.sort();
        println!(
            "  key to paint on Logs, {what}: median {:.1?}, p99 {:.1?}, n {KEYS}",
            paints[KEYS / 2 - 1],
            paints[(KEYS * 99).div_ceil(100) - 1]
        );
        run.quit();
    }
}
