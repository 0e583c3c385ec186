//! What keeps a broker from starting: one clear sentence, exit code 1, and nothing touched.

use crate::support::broker::Broker;
use crate::{callboard, output};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use tempfile::tempdir;

fn refusal(folder: &Path, arguments: &[&str]) -> String {
    let (code, printed, complaint) = output(&mut callboard(folder, arguments));
    assert_eq!((code, printed.as_str()), (Some(1), ""), "{complaint}");
    complaint.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_port_in_use_leaves_the_folder_alone() {
    let folder = tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let complaint = refusal(folder.path(), &["--kafka", &address]);
    assert!(complaint.contains(&address) && complaint.contains("in use"), "{complaint}");
    assert!(!folder.path().join("callboard-data").exists());
}

#[test]
fn a_folder_in_use_is_left_to_its_user() {
    let broker = Broker::start().unwrap();
    let data = broker.data().unwrap();
    let folder = tempdir().unwrap();
    let complaint = refusal(folder.path(), &["--kafka", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    assert!(complaint.contains("in use by another process"), "{complaint}");
}

#[test]
fn a_folder_of_another_format_is_not_touched() {
    let folder = tempdir().unwrap();
    let identity = folder.path().join("identity");
    fs::write(&identity, "format=99\ncluster.id=x\nnode.id=1\n").unwrap();
    let data = folder.path().to_str().unwrap();
    let complaint = refusal(folder.path(), &["--kafka", "127.0.0.1:0", "--data", data]);
    assert!(complaint.contains("format 99"), "{complaint}");
    assert_eq!(fs::read_to_string(identity).unwrap(), "format=99\ncluster.id=x\nnode.id=1\n");
    assert!(!folder.path().join("journal").exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("file"), "not a folder").unwrap();
    let complaint = refusal(folder.path(), &["--kafka", "127.0.0.1:0", "--data", "file/data"]);
    assert!(complaint.contains("file/data"), "{complaint}");
}

#[test]
fn a_damaged_journal_is_named_and_not_touched() {
    let mut broker = Broker::start().unwrap();
    broker.kill().unwrap();
    let data = broker.data().unwrap();
    let segment = data.join("journal/00000000000000000001.journal");
    let whole = fs::read(&segment).unwrap();
    let mut damaged = whole.clone();
    damaged[3] ^= 1;
    fs::write(&segment, &damaged).unwrap();
    let folder = tempdir().unwrap();
    let complaint = refusal(folder.path(), &["--kafka", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    assert!(complaint.contains("damaged") && complaint.contains("segment 1"), "{complaint}");
    assert_eq!(fs::read(&segment).unwrap(), damaged);
    fs::write(&segment, whole).unwrap();
    broker.restart().unwrap();
}
