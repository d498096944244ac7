//! What a person feels of the program itself: first frame, idle CPU, quitting; measured on the real binary in a
//! pseudo-terminal, beside `sh -c true` in the same pseudo-terminal. Linux only (it reads `/proc`).

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const RUNS: usize = 7;
const IDLE: Duration = Duration::from_secs(10);

struct Run {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    output: Receiver<Vec<u8>>,
    started: Instant,
}

fn start(home: &Path, program: &str, args: &[&str]) -> Run {
    let mut command = CommandBuilder::new(program);
    command.args(args);
    command.env_clear();
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
        master: pair.master,
        output,
        started,
    }
}

impl Run {
    fn until(&self, text: &str) -> Duration {
        let mut seen = Vec::new();
        loop {
            seen.extend(self.output.recv_timeout(Duration::from_secs(20)).unwrap());
            if String::from_utf8_lossy(&seen).contains(text) {
                return self.started.elapsed();
            }
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

    fn quit(mut self) -> Duration {
        let asked = Instant::now();
        let mut keyboard = self.master.take_writer().unwrap();
        keyboard.write_all(b"\x03").unwrap();
        keyboard.flush().unwrap();
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
        let run = start(home.path(), binary, &[]);
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
        let run = start(home.path(), binary, args);
        run.until("SANDBOX");
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
}
