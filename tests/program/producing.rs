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

#[test]
fn what_is_read_as_json_and_sent_again_is_the_same() {
    let trial = Trial::start();
    trial.run(&["topic", "create", "copy", "--partitions", "4"]);
    trial.run(&["topic", "create", "orders", "--partitions", "4"]);
    let lines = [
        r#"{"key":null,"value":null,"partition":1,"timestamp":1}"#,
        r#"{"key":{"base64":"/wA="},"value":{"base64":"gA=="},"partition":1,"timestamp":2}"#,
        r#"{"key":"","value":"ä\u0000\n","headers":[["h","1"],["g",null],["h",{"base64":"/w=="}],[{"base64":"/wA="},""]],"partition":1,"timestamp":3}"#,
    ];
    trial.give(&["produce", "orders", "--json-lines"], &lines.join("\n"));
    let read = trial.run(&["consume", "orders", "--json"]);
    let records = objects(&read);
    assert_eq!((&records[0]["key"], &records[0]["value"]), (&json!(null), &json!(null)));
    assert_eq!(
        (&records[1]["key"], &records[1]["value"]),
        (&json!({"base64": "/wA="}), &json!({"base64": "gA=="}))
    );
    let headers = json!([["h", "1"], ["g", null], ["h", {"base64": "/w=="}], [{"base64": "/wA="}, ""]]);
    assert_eq!((&records[2]["key"], &records[2]["headers"]), (&json!(""), &headers));
    trial.give(&["produce", "copy", "--json-lines"], &read);
    let copied = trial.run(&["consume", "copy", "--json"]);
    assert_eq!(copied, read.replace(r#""topic":"orders""#, r#""topic":"copy""#));
}

#[test]
fn a_field_that_no_record_has_is_refused() {
    let trial = Trial::start();
    let problem = sentence(&trial.fail_with(&["produce", "orders", "--json-lines"], r#"{"vaule":"typo"}"#));
    for fact in ["line 1", "vaule", "`value`", "0 record(s)"] {
        assert!(problem.contains(fact), "{fact:?} is not in {problem:?}");
    }
}
