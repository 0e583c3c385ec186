//! The example of a web application, asked as browsers and scripts ask it.

use crate::examples::built;
use crate::support::process::wait_within;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

struct Application {
    child: Child,
    said: BufReader<ChildStdout>,
    address: String,
}

impl Application {
    fn start() -> Self {
        let mut child = Command::new(built("actix_web")).arg("0").stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, said, address }
    }

    /// The status and the body of the answer to a request.
    fn ask(&self, method: &str, body: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        write!(socket, "{method} /orders HTTP/1.0\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// What the kitchen has got, once it is so many orders.
    fn seen(&self, count: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let (status, body) = self.ask("GET", "");
            assert_eq!(status, 200, "{body}");
            let seen: Vec<Value> = serde_json::from_str(&body).unwrap();
            if seen.len() >= count {
                return seen;
            }
            assert!(begun.elapsed() < PATIENCE, "only {seen:?}");
        }
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_posted_to_an_application_reaches_its_actor() {
    let mut application = Application::start();
    assert_eq!(application.seen(0), [] as [Value; 0]);
    let mut expected = Vec::new();
    for order in ["one teapot", "two cups", "a spoon"] {
        let (status, place) = application.ask("POST", order);
        assert_eq!(status, 201, "{place}");
        let mut place: Value = serde_json::from_str(&place).unwrap();
        place["order"] = json!(order);
        expected.push(place);
    }
    let (status, problem) = application.ask("POST", "");
    assert_eq!((status, problem.as_str()), (400, "an order says what is ordered\n"));
    assert_eq!(application.seen(3), expected);

    kill(Pid::from_raw(application.child.id() as i32), Signal::SIGINT).unwrap();
    let ended = wait_within(&mut application.child, PATIENCE).unwrap().expect("it still runs");
    assert_eq!(ended.code(), Some(0));
    let mut rest = String::new();
    application.said.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "stopped\n");
}
