//! A real process is killed at random instants of commit, promote, rollback and prune; a champion must always load.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::tests::draft;
use super::{Move, Registry};

const KILLS: usize = 1000;
const DIR: &str = "VINTNER_KILL_TEST_REGISTRY";

fn wish(reason: &str) -> Move {
    Move {
        reason: reason.to_owned(),
        expected: None,
        overridden: Vec::new(),
    }
}

/// Not a test of its own: the victim, started by the test below.
#[test]
#[ignore = "started by a_kill_at_any_instant_leaves_a_champion_that_loads"]
fn victim() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let registry = Registry::at(dir);
    let drafts = [draft(1), draft(2)];
    eprintln!("ready");
    loop {
        let draft = drafts[registry.versions().unwrap().len() % 2].clone();
        let version = registry.commit(draft).unwrap().version;
        registry.promote(version, wish("promote")).unwrap();
        registry.roll_back(None, wish("roll back")).unwrap();
        registry.prune(2).unwrap();
    }
}

fn start_victim(dir: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "registry::kill_tests::victim",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIR, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    while !line.contains("ready") {
        line.clear();
        assert!(
            lines.read_line(&mut line).unwrap() > 0,
            "the victim did not start"
        );
    }
    child
}

#[test]
fn a_kill_at_any_instant_leaves_a_champion_that_loads() {
    let home = tempfile::tempdir().unwrap();
    let registry = Registry::at(home.path());
    let begun = Instant::now();
    for seed in [1, 2] {
        let version = registry.commit(draft(seed)).unwrap().version;
        registry.promote(version, wish("before the storm")).unwrap();
    }
    // The victim needs about as long for a version and its moves; the disk and the machine say how long that is.
    let round = begun.elapsed();
    let mut rng = ChaCha8Rng::seed_from_u64(42);
    let (mut staged, mut repaired) = (0, 0);
    for kill in 0..KILLS {
        let mut victim = start_victim(home.path());
        // The instant of the kill is what is drawn by lot.
        std::thread::sleep(round.mul_f64(rng.gen_range(0.0..1.0)));
        victim.kill().unwrap();
        victim.wait().unwrap();
        staged += usize::from(
            std::fs::read_dir(home.path().join("tmp"))
                .unwrap()
                .next()
                .is_some(),
        );
        let (champion, _) = registry
            .load_champion()
            .unwrap_or_else(|error| panic!("before recovery, kill {kill}: {error}"));
        repaired += registry.recover().unwrap().len();
        let (after, _) = registry
            .load_champion()
            .unwrap_or_else(|error| panic!("after recovery, kill {kill}: {error}"));
        assert_eq!(champion.version, after.version, "kill {kill}");
        for version in registry.versions().unwrap() {
            registry
                .verify(version)
                .unwrap_or_else(|error| panic!("kill {kill}: {error}"));
        }
    }
    assert!(
        staged > 0 && repaired > 0,
        "no kill hit a critical instant: {staged} in staging, {repaired} in a move"
    );
    assert_eq!(
        std::fs::read_dir(home.path().join("tmp")).unwrap().count(),
        0,
        "staging is swept"
    );
    let generations: Vec<u64> = registry
        .events()
        .unwrap()
        .iter()
        .filter_map(|event| event.generation)
        .collect();
    assert!(
        generations.is_sorted_by(|a, b| a < b),
        "every move is in the log once"
    );
}
