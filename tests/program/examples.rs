//! The examples, which are programs as users write them: each runs to its end.

use std::path::Path;
use std::process::Command;

/// What an example prints.
fn run(name: &str) -> String {
    // Examples lie beside the folder of the tests.
    let here = std::env::current_exe().unwrap();
    let example = here.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    if !example.exists() {
        // `cargo test` builds them, unless it is told which tests.
        assert!(Command::new(env!("CARGO")).args(["build", "--examples"]).status().unwrap().success());
    }
    let output = Command::new(example).output().unwrap();
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
fn actors_subscribe() {
    assert_eq!(run("subscribe").matches("kitchen: ").count(), 3);
}
