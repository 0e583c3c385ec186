//! What the program says to do about what cannot be done.

use crate::trial::Trial;
use crate::{callboard, output};
use std::net::TcpListener;
use std::thread;

fn told(problem: &str, facts: &[&str], absent: &[&str]) {
    for fact in facts {
        assert!(problem.contains(fact), "{fact:?} is not in {problem:?}");
    }
    for fact in absent {
        assert!(!problem.contains(fact), "{fact:?} is in {problem:?}");
    }
}

#[test]
fn a_topic_that_cannot_be_altered_so_is_told_with_what_is_wrong() {
    let trial = Trial::start();
    trial.run(&["topic", "create", "orders", "--partitions", "2"]);
    let list = "callboard topic list";
    for (words, facts) in [
        ("orders --partitions 1", ["topic orders", "2 partition(s)"]),
        ("orders --set retention.ms=x", ["topic orders", "a whole number"]),
        ("orders --unset retentoin.ms", ["no topic has a setting retentoin.ms", "known one is retention.ms"]),
    ] {
        let words: Vec<_> = ["topic", "alter"].into_iter().chain(words.split(' ')).collect();
        told(&trial.fail(&words), &facts, &[list]);
    }
    for change in ["--partitions 5", "--set retention.ms=5", "--unset retention.ms"] {
        let words: Vec<_> = ["topic", "alter", "nope"].into_iter().chain(change.split(' ')).collect();
        told(&trial.fail(&words), &["there is no topic nope", list], &["host"]);
    }
    let exists = trial.fail(&["topic", "create", "orders"]);
    told(&exists, &["already exists", "callboard topic alter orders"], &[list]);
}

#[test]
fn a_wrong_flag_is_told_with_an_example_of_its_own() {
    let trial = Trial::start();
    told(&trial.fail(&["produce", "orders", "-H", "c"]), &["name=value"], &["num.partitions"]);
    told(&trial.fail(&["consume", "orders", "--format", "%q"]), &["%q", "%v"], &[]);
    let folder = tempfile::tempdir().unwrap();
    let (_, _, problem) = output(&mut callboard(folder.path(), &["topic", "list", "--broker", "nonsense"]));
    told(&problem, &["localhost:9093", "native"], &["callboard serve"]);
}

#[test]
fn a_port_of_something_else_is_told_from_one_that_is_closed() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    // As Kafka's door does with what it does not understand.
    thread::spawn(move || other.incoming().for_each(drop));
    let folder = tempfile::tempdir().unwrap();
    let words = ["topic", "list", "--broker", &address];
    let (code, _, problem) = output(&mut callboard(folder.path(), &words));
    assert_eq!(code, Some(1));
    told(&problem, &["does not speak the native protocol", "native="], &["no broker answers"]);
}

#[test]
fn the_environment_names_the_broker() {
    let trial = Trial::start();
    trial.run(&["topic", "create", "orders"]);
    let mut command = callboard(trial.folder.path(), &["topic", "list"]);
    let (code, listed, problem) = output(command.env("CALLBOARD_BROKER", &trial.native));
    assert_eq!((code, problem.as_str()), (Some(0), ""));
    assert!(listed.contains("orders"), "{listed}");
    // It is no setting of a broker.
    let mut command = callboard(trial.folder.path(), &["config"]);
    assert_eq!(output(command.env("CALLBOARD_BROKER", &trial.native)).0, Some(0));
    assert!(trial.run(&["topic", "list", "--help"]).contains("CALLBOARD_BROKER"));
}
