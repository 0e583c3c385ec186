//! What the program says of records that cannot be sent, so that the rest can be.

use crate::trial::{Trial, objects};
use serde_json::json;

fn sentence(problem: &str) -> String {
    assert_eq!(problem.trim_end().lines().count(), 1, "one sentence: {problem}");
    problem.to_owned()
}

#[test]
fn what_was_read_before_a_bad_line_is_delivered_and_counted() {
    let trial = Trial::start();
    let good = "{\"value\":\"v\"}\n".repeat(20_000);
    let problem = trial.fail_with(&["produce", "orders", "--json-lines"], &format!("{good}[]\n{good}"));
    let problem = sentence(&problem);
    let facts =
        ["line 20001 of standard input", "no JSON object", "20000 record(s) before it were delivered"];
    for fact in facts {
        assert!(problem.contains(fact), "{fact:?} is not in {problem:?}");
    }
    assert_eq!(trial.run(&["consume", "orders"]).lines().count(), 20_000);
}

#[test]
fn a_record_that_is_refused_is_told_with_its_line() {
    let trial = Trial::start();
    let create = ["topic", "create", "orders", "--partitions", "1", "--set", "max.message.bytes=2000"];
    trial.run(&create);
    let large = "x".repeat(3000);
    let problem = trial.fail_with(&["produce", "orders"], &format!("1\n{large}\n3\n"));
    let problem = sentence(&problem);
    let delivered = trial.run(&["consume", "orders"]).lines().count();
    let count = format!("{delivered} of 3 record(s)");
    for fact in ["of standard input was not delivered", "the broker refused", &count] {
        assert!(problem.contains(fact), "{fact:?} is not in {problem:?}");
    }
    // What is sent beforehand and afterwards is nothing that it has to do with.
    trial.give(&["produce", "orders"], "1\n");
    let read = objects(&trial.run(&["consume", "orders", "--json"]));
    assert_eq!(read.last().unwrap()["value"], json!("1"));
}

#[test]
fn a_file_that_is_not_there_is_told_with_what_went_before_it() {
    let trial = Trial::start();
    std::fs::write(trial.folder.path().join("a"), "1\n2\n").unwrap();
    let problem = sentence(&trial.fail(&["produce", "orders", "a", "b"]));
    assert!(problem.contains("b: ") && problem.contains("2 record(s) before it were"), "{problem}");
}
