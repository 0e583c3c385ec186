//! The broker's settings that bound what connections and their requests may take.

use super::super::definition::{Definition, Importance};
use super::super::rule::Rule;
use super::super::value::Kind;

pub(super) const ALL: &[Definition] = &[
    Definition::new("socket.request.max.bytes", Kind::Int, "104857600")
        .rule(Rule::AtLeast(1))
        .importance(Importance::High)
        .read_only()
        .documentation("The largest request in bytes; a larger one closes its connection."),
    Definition::new("socket.send.buffer.bytes", Kind::Int, "524288")
        .rule(Rule::BetweenOr(1, i64::MAX, -1))
        .importance(Importance::High)
        .read_only()
        .documentation(
            "How many bytes of answers the system keeps for a connection until its client takes them; -1 \
             leaves that to the system.",
        ),
    Definition::new("socket.receive.buffer.bytes", Kind::Int, "-1")
        .rule(Rule::BetweenOr(1, i64::MAX, -1))
        .importance(Importance::High)
        .read_only()
        .documentation(
            "How many bytes of requests the system keeps for a connection until the broker reads them; -1 \
             leaves that to the system.",
        ),
    Definition::new("max.connections", Kind::Int, "10000")
        .rule(Rule::AtLeast(1))
        .documentation("How many connections the broker has at most."),
    Definition::new("max.connections.per.ip", Kind::Int, "2147483647")
        .rule(Rule::AtLeast(1))
        .documentation("How many connections one IP address has at most."),
    Definition::new("connections.max.idle.ms", Kind::Long, "600000")
        .rule(Rule::BetweenOr(1, i64::MAX, -1))
        .read_only()
        .documentation("After how many milliseconds without a request a connection is closed; -1 for never."),
    Definition::new("queued.max.request.bytes", Kind::Long, "67108864")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation(
            "How many bytes of requests may be in the broker at once; past it the broker reads \
             none until some are answered.",
        ),
    Definition::new("queued.max.response.bytes", Kind::Long, "268435456")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation(
            "How many bytes of records may be in answers that clients have not read yet, and as many \
             of answers that describe what there is; past it \
             each connection has one batch.",
        ),
    Definition::new("max.requests.in.flight.per.connection", Kind::Int, "256")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation(
            "How many requests of one connection to the Kafka port may wait for their answers; past it \
             the broker reads none until one is answered.",
        ),
    Definition::new("native.max.requests.in.flight.per.connection", Kind::Int, "4096")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("The same on the native port, where answers may overtake each other."),
    Definition::new("max.partitions.per.request", Kind::Int, "20000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("How many partitions one request may name."),
    Definition::new("request.receive.timeout.ms", Kind::Long, "30000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation("How many milliseconds a request may take to arrive once its first byte is there."),
    Definition::new("response.send.timeout.ms", Kind::Long, "60000")
        .rule(Rule::AtLeast(1))
        .read_only()
        .documentation(
            "How many milliseconds a client may leave an answer unread before its connection is \
             closed.",
        ),
    Definition::new("max.incremental.fetch.session.cache.slots", Kind::Int, "1000")
        .rule(Rule::AtLeast(0))
        .read_only()
        .documentation(
            "How many fetch sessions are remembered, with which a consumer need not repeat all \
             its partitions.",
        ),
    Definition::new("fetch.max.bytes", Kind::Int, "57671680")
        .rule(Rule::AtLeast(1024))
        .read_only()
        .documentation(
            "How many bytes of records one fetch is answered with at most; the first batch always \
             fits.",
        ),
];

#[cfg(test)]
mod tests {
    use super::super::find;

    fn accepts(name: &str, text: &str) -> bool {
        find(name).unwrap().parse(text).is_ok()
    }

    #[test]
    fn no_bound_can_be_taken_away() {
        for name in [
            "max.connections",
            "max.connections.per.ip",
            "queued.max.request.bytes",
            "queued.max.response.bytes",
            "socket.request.max.bytes",
            "max.requests.in.flight.per.connection",
            "native.max.requests.in.flight.per.connection",
            "max.partitions.per.request",
            "request.receive.timeout.ms",
            "response.send.timeout.ms",
        ] {
            assert!(!accepts(name, "0"), "{name}");
            assert!(!accepts(name, "-1"), "{name}");
            assert!(accepts(name, "1"), "{name}");
        }
    }

    #[test]
    fn idle_connections_may_stay_for_ever() {
        assert!(accepts("connections.max.idle.ms", "-1"));
        assert!(!accepts("connections.max.idle.ms", "0"));
    }

    #[test]
    fn a_fetch_answer_has_room_for_something() {
        assert!(!accepts("fetch.max.bytes", "1023"));
        assert!(accepts("fetch.max.bytes", "1024"));
        assert!(accepts("max.incremental.fetch.session.cache.slots", "0"));
    }
}
