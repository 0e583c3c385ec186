//! kcat, the command line of librdkafka: it is its own program, so the tests speak to it here.

mod produce;
mod read;

use crate::client::Client;
use crate::support::broker::{Broker, elsewhere};
use anyhow::Result;
use std::fmt::Display;

/// A broker and a topic on it that comes by itself.
struct Bench {
    broker: Broker,
    topic: String,
}

/// `None` when kcat is not chosen, or the settings cannot be given.
fn bench(subject: &str, settings: &[&str]) -> Option<Bench> {
    if !Client::Kcat.is_chosen() {
        return None;
    }
    if elsewhere().is_some() && !settings.is_empty() {
        eprintln!("left out: {subject} needs a broker with {settings:?}");
        return None;
    }
    let broker = Broker::start_with(settings).unwrap();
    Some(Bench { broker, topic: format!("clients-kcat-{}-{subject}", std::process::id()) })
}

impl Bench {
    fn kcat(&self, mode: &str, words: &[&str]) -> Result<Vec<u8>> {
        let mut all = vec![mode, "-b", self.broker.address()];
        all.extend(words);
        Client::Kcat.run(&all)
    }

    /// Every line of `text` is a record.
    fn produce(&self, text: &str, words: &[&str]) -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        let path = file.path().display().to_string();
        let mut all = vec!["-t", &self.topic, "-l", &path];
        all.extend(words);
        self.kcat("-P", &all).map(drop)
    }

    /// From the beginning to the end of all partitions, unless `words` say otherwise.
    fn read(&self, format: &str, words: &[&str]) -> String {
        let mut all = vec!["-t", &self.topic, "-e", "-q", "-X", "fetch.wait.max.ms=50", "-f", format];
        all.extend(if words.is_empty() { &["-o", "beginning"] } else { words });
        String::from_utf8(self.kcat("-C", &all).unwrap()).unwrap()
    }
}

/// One line for each value.
fn lines(values: impl Iterator<Item = impl Display>) -> String {
    values.fold(String::new(), |text, value| text + &format!("{value}\n"))
}

fn numbers(from: usize, to: usize) -> String {
    lines(from..to)
}
