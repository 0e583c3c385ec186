//! The broker's settings about itself: where it is, who it is, how it runs and what it logs.

use std::net::SocketAddr;

use super::super::definition::{Definition, Importance};
use super::super::rule::Rule;
use super::super::settings::{AdvertisedAddress, NativeAddress};
use super::super::value::{Kind, Value};

pub(super) const ALL: &[Definition] = &[
    Definition::new("data.dir", Kind::String, "./callboard-data")
        .rule(Rule::Check(not_empty))
        .importance(Importance::High)
        .read_only()
        .documentation("The folder that holds all data; it is created when it is not there."),
    Definition::new("kafka.address", Kind::String, "127.0.0.1:9092")
        .rule(Rule::Check(kafka_address))
        .importance(Importance::High)
        .read_only()
        .documentation(
            "The address and port that Kafka clients connect to; port 0 takes any that is free, \
             off takes no Kafka clients.",
        ),
    Definition::new("native.address", Kind::String, "auto")
        .rule(Rule::Check(native_address))
        .importance(Importance::High)
        .read_only()
        .documentation(
            "The address and port that native clients connect to; port 0 takes any that is free, \
             auto the one after Kafka's or else any that is free, off takes no native clients.",
        ),
    Definition::new("advertised.address", Kind::String, "")
        .rule(Rule::Check(advertised_address))
        .importance(Importance::High)
        .read_only()
        .documentation(
            "The host and port that clients are told to connect to; empty for the address that \
             the broker listens on.",
        ),
    Definition::new("node.id", Kind::Int, "1")
        .rule(Rule::AtLeast(0))
        .importance(Importance::High)
        .read_only()
        .documentation("The number of this broker in its cluster."),
    Definition::new("broker.rack", Kind::String, "")
        .unset(&[])
        .read_only()
        .documentation("The place that the broker stands in, for clients that prefer a near one."),
    Definition::new("workers", Kind::Int, "0")
        .rule(Rule::Between(0, 1024))
        .read_only()
        .documentation("The threads that actors run on; 0 for one per processor core."),
    Definition::new("readers", Kind::Int, "4")
        .rule(Rule::Between(1, 1024))
        .read_only()
        .documentation("The threads that read records from the disk."),
    Definition::new("shutdown.grace.ms", Kind::Long, "5000")
        .rule(Rule::AtLeast(0))
        .read_only()
        .documentation("How many milliseconds a stopping broker gives requests in flight."),
    Definition::new("log.level", Kind::String, "info")
        .rule(Rule::OneOf(&["off", "error", "warn", "info", "debug", "trace"]))
        .read_only()
        .documentation("How much the broker logs; the variable RUST_LOG goes before it."),
    Definition::new("log.format", Kind::String, "text")
        .rule(Rule::OneOf(&["text", "json"]))
        .read_only()
        .documentation("How a log line is written: text for people, json for programs."),
];

fn not_empty(value: &Value) -> Result<(), &'static str> {
    if *value == Value::Text(String::new()) {
        return Err("the value must not be empty");
    }
    Ok(())
}

fn kafka_address(value: &Value) -> Result<(), &'static str> {
    match value {
        Value::Text(text) if text == OFF || read_socket_address(text).is_some() => Ok(()),
        _ => Err("the value must be an IP address and a port, as in 127.0.0.1:9092, or off"),
    }
}

fn native_address(value: &Value) -> Result<(), &'static str> {
    match value {
        Value::Text(text) if NativeAddress::read(text).is_some() => Ok(()),
        _ => Err("the value must be an IP address and a port, as in 127.0.0.1:9093, or auto, or off"),
    }
}

fn advertised_address(value: &Value) -> Result<(), &'static str> {
    let Value::Text(text) = value else {
        return Err("the value must be text");
    };
    if text.is_empty() || AdvertisedAddress::read(text).is_some() {
        return Ok(());
    }
    Err("the value must be a host and a port, as in broker.example:9092, or empty")
}

/// In the place of an address that is not listened on.
pub(in crate::config) const OFF: &str = "off";

/// An address to listen on; `localhost` is taken for 127.0.0.1, so that no name is looked up.
pub(in crate::config) fn read_socket_address(text: &str) -> Option<SocketAddr> {
    if let Some(port) = text.strip_prefix("localhost:") {
        return Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?)));
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::find;

    fn accepts(name: &str, text: &str) -> bool {
        find(name).unwrap().parse(text).is_ok()
    }

    #[test]
    fn a_listening_address_is_an_ip_and_a_port() {
        for text in ["127.0.0.1:0", "0.0.0.0:9092", "[::1]:9092", "localhost:9092"] {
            assert!(accepts("kafka.address", text), "{text}");
        }
        for text in ["", "127.0.0.1", ":9092", "9092", "broker.example:9092", "127.0.0.1:65536"] {
            assert!(!accepts("kafka.address", text), "{text}");
        }
    }

    #[test]
    fn either_door_may_be_shut() {
        assert!(accepts("kafka.address", "off"));
        for text in ["auto", "off", "127.0.0.1:0"] {
            assert!(accepts("native.address", text), "{text}");
        }
        for text in ["", "on", "127.0.0.1"] {
            assert!(!accepts("native.address", text), "{text}");
        }
    }

    #[test]
    fn an_advertised_address_is_a_host_and_a_port_or_empty() {
        for text in ["", "broker.example:9092", "10.0.0.7:9092", "[::1]:9092"] {
            assert!(accepts("advertised.address", text), "{text}");
        }
        for text in ["broker.example", "broker:", ":9092", "broker:0", "broker:70000", "::1:9092"] {
            assert!(!accepts("advertised.address", text), "{text}");
        }
    }

    #[test]
    fn a_data_folder_has_a_name() {
        assert!(!accepts("data.dir", " "));
    }

    #[test]
    fn levels_and_formats_are_words() {
        assert!(!accepts("log.level", "loud"));
        assert!(!accepts("log.format", "xml"));
        assert!(!accepts("readers", "0"));
        assert!(accepts("workers", "0"));
    }
}
