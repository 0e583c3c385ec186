//! Tests of how the broker's settings are read out of their texts.

use super::*;

#[test]
fn the_defaults_are_those_of_the_table() {
    let settings = Settings::default();
    assert_eq!(settings.data_dir, PathBuf::from("./callboard-data"));
    assert_eq!(settings.kafka_address, Some(([127, 0, 0, 1], 9092).into()));
    assert_eq!(settings.native_address, NativeAddress::Auto);
    assert_eq!(settings.advertised_address, None);
    assert_eq!((settings.node_id, settings.rack), (1, None));
    assert_eq!(settings.threads, ThreadSettings { workers: 0, readers: 4 });
    assert_eq!(settings.log.level, "info");
    assert_eq!(settings.log.format, LogFormat::Text);
    assert_eq!(settings.topics.partitions, 4);
    assert_eq!(settings.topics.replication_factor, 1);
    assert!(settings.topics.auto_create && settings.topics.delete);
    assert_eq!(settings.producer_id_expiration, Duration::from_secs(24 * 3600));
    assert_eq!(settings.shutdown_grace, Duration::from_secs(5));
}

#[test]
fn every_bound_has_its_default() {
    let settings = Settings::default();
    let limits = ConnectionLimits {
        connections_max: 10_000,
        connections_per_ip_max: 2_147_483_647,
        idle_max: Some(Duration::from_secs(600)),
        receive_timeout: Duration::from_secs(30),
        send_timeout: Duration::from_secs(60),
        frame_bytes_max: 100 << 20,
        bytes_in_flight_max: 64 << 20,
        send_buffer_bytes: Some(512 << 10),
        receive_buffer_bytes: None,
        kafka_requests_in_flight_max: 256,
        native_requests_in_flight_max: 4096,
        partitions_per_request_max: 20_000,
    };
    assert_eq!(settings.connections, limits);
    let fetch =
        FetchLimits { response_bytes_max: 55 << 20, bytes_in_flight_max: 256 << 20, sessions_max: 1000 };
    assert_eq!(settings.fetch, fetch);
    let storage = StorageSettings {
        segment_bytes: 256 << 20,
        checkpoint_bytes: 128 << 20,
        checkpoint_records: 100_000,
        checkpoint_interval: Duration::from_secs(30),
        free_bytes_min: 1 << 30,
    };
    assert_eq!(settings.storage, storage);
    assert_eq!(settings.topics.partitions_max, 100_000);
}

#[test]
fn what_is_set_reaches_its_field() {
    let settings = Settings::from_pairs([
        ("data.dir", "/data"),
        ("kafka.address", "localhost:0"),
        ("native.address", "off"),
        ("advertised.address", "[::1]:9092"),
        ("broker.rack", "cellar"),
        ("connections.max.idle.ms", "-1"),
        ("auto.create.topics.enable", "false"),
        ("log.format", "json"),
        ("log.retention.hours", "1"),
    ])
    .unwrap();
    assert_eq!(settings.data_dir, PathBuf::from("/data"));
    assert_eq!(settings.kafka_address, Some(([127, 0, 0, 1], 0).into()));
    assert_eq!(settings.native_address, NativeAddress::Off);
    let host = AdvertisedAddress { host: "::1".to_owned(), port: 9092 };
    assert_eq!(settings.advertised_address, Some(host));
    assert_eq!(settings.rack.as_deref(), Some("cellar"));
    assert_eq!(settings.connections.idle_max, None);
    assert!(!settings.topics.auto_create);
    assert_eq!(settings.log.format, LogFormat::Json);
    assert_eq!(settings.topics.defaults.settings().retention, Some(Duration::from_secs(3600)));
}

#[test]
fn an_empty_rack_is_none() {
    assert_eq!(Settings::from_pairs([("broker.rack", "")]).unwrap().rack, None);
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    let pairs = [("log.cleaner.min.compaction.lag.ms", "2"), ("log.cleaner.max.compaction.lag.ms", "1")];
    assert!(matches!(Settings::from_pairs(pairs), Err(ConfigError::Conflict { .. })));
    let consumer = |session: &str, heartbeat: &str| {
        Settings::from_pairs([
            ("group.consumer.min.session.timeout.ms", "4000"),
            ("group.consumer.session.timeout.ms", session),
            ("group.consumer.heartbeat.interval.ms", heartbeat),
        ])
    };
    assert!(consumer("5001", "5000").is_ok());
    let refused = |session, heartbeat| consumer(session, heartbeat).unwrap_err().to_string();
    let (session, heartbeat) = ("group.consumer.session.timeout.ms", "group.consumer.heartbeat.interval.ms");
    assert_eq!(refused("5000", "5000"), format!("{session} must be greater than {heartbeat}"));
    let bound = "group.consumer.min.session.timeout.ms";
    assert_eq!(refused("3999", "5000"), format!("{session} must be greater than or equal to {bound}"));
    let bound = "group.consumer.max.heartbeat.interval.ms";
    assert_eq!(refused("50000", "15001"), format!("{heartbeat} must be less than or equal to {bound}"));
}

#[test]
fn a_bound_is_not_beyond_the_one_that_it_keeps_to() {
    for (smaller, larger) in [
        (("num.partitions", "5"), ("max.partitions", "4")),
        (("group.min.session.timeout.ms", "100"), ("group.max.session.timeout.ms", "99")),
    ] {
        let refused = Settings::from_pairs([smaller, larger]).unwrap_err();
        assert!(refused.to_string().contains("must not be larger than"), "{refused}");
        Settings::from_pairs([(smaller.0, larger.1), larger]).unwrap();
    }
}
