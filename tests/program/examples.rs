//! The examples, which are programs as users write them: each runs to its end.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program of an example.
pub(crate) fn built(name: &str) -> PathBuf {
    // Examples lie beside the folder of the tests.
    let here = std::env::current_exe().unwrap();
    let example = here.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    if !example.exists() {
        // `cargo test` builds them, unless it is told which tests.
        assert!(Command::new(env!("CARGO")).args(["build", "--examples"]).status().unwrap().success());
    }
    example
}

/// What an example prints.
fn run(name: &str) -> String {
    let output = Command::new(built(name)).output().unwrap();
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{name}: {problem}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_broker_runs_inside_a_program() {
    let said = run("embedded");
    assert_eq!(said.lines().filter(|line| line.starts_with("read: ")).count(), 3, "{said}");
}

#[test]
fn a_native_client_does_all_that_belongs_to_it() {
    let said = run("native_client");
    assert!(said.contains("created readings-") && said.contains("1000 records read"), "{said}");
}

#[test]
fn values_are_typed() {
    let said = run("typed");
    assert!(said.contains("left out: the record at offset 1 of orders-0"), "{said}");
    assert_eq!(said.matches("Some(Order").count(), 2, "{said}");
}

#[test]
fn what_goes_wrong_is_tested() {
    let said = run("testing");
    assert!(said.contains("after a crash: offset 4") && said.contains("4 faults, and 5 records"), "{said}");
}

#[test]
fn actors_subscribe() {
    assert_eq!(run("subscribe").matches("kitchen: ").count(), 3);
}

/// Starts the ledger, lets it do so many transfers, and kills it. Answers how many events it found at
/// its start, and the number behind the last transfer that it acknowledged.
fn ledger_until_killed(folder: &Path, transfers: usize) -> (u64, u64) {
    let mut child =
        Command::new(built("ledger")).arg(folder).arg("1000000").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let number = |line: String, word: &str| line.strip_prefix(word).unwrap().parse::<u64>().unwrap();
    let balanced = number(lines.next().unwrap().unwrap(), "balanced ");
    let mut end = balanced;
    for line in lines.by_ref().take(transfers) {
        end = number(line.unwrap(), "done ") + 1;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it still said before it died counts too.
    for line in lines.map_while(Result::ok).filter(|line| line.starts_with("done ")) {
        end = number(line, "done ") + 1;
    }
    (balanced, end)
}

#[test]
fn a_ledger_loses_and_doubles_nothing_over_a_hundred_kills() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..100 {
        // It proves at each start that its balances are what its events say.
        let (balanced, end) = ledger_until_killed(folder.path(), round % 7);
        assert!(balanced >= acknowledged, "round {round}: {acknowledged} acknowledged, {balanced} there");
        assert!(balanced <= acknowledged + 1, "round {round}: one can have been on its way");
        acknowledged = end;
    }
    assert!(acknowledged > 100, "{acknowledged}");
}
