"""What a program on kafka-python can ask of a broker: one function a subject.

Usage: kafka_python.py SUBJECT ADDRESS PREFIX
Every topic that is made starts with PREFIX; the exit code is 0 when the subject holds.
"""

import signal
import sys
import time
from collections import defaultdict

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, MessageSizeTooLargeError, TopicAlreadyExistsError

WAIT_MS = 20_000
ADDRESS = ""


def producer(**settings):
    return KafkaProducer(bootstrap_servers=ADDRESS, **settings)


def consumer(**settings):
    settings.setdefault("consumer_timeout_ms", WAIT_MS)
    return KafkaConsumer(bootstrap_servers=ADDRESS, **settings)


def admin():
    return KafkaAdminClient(bootstrap_servers=ADDRESS)


def create(topic, partitions=1, configs=None):
    with admin() as client:
        client.create_topics(
            {topic: {"num_partitions": partitions, "replication_factor": 1, "configs": configs or {}}},
            wait_for_metadata=True,
        )


def send_all(client, topic, values, **fields):
    fields.setdefault("partition", 0)
    answers = [client.send(topic, value, **fields) for value in values]
    return [answer.get(WAIT_MS / 1000) for answer in answers]


def read(topic, count, partitions=1):
    """`count` records from the beginning of every partition, fewer when the time is over."""
    with consumer() as client:
        assigned = [TopicPartition(topic, index) for index in range(partitions)]
        client.assign(assigned)
        client.seek_to_beginning(*assigned)
        records = []
        while len(records) < count:
            record = next(client, None)
            if record is None:
                break
            records.append(record)
        return records


def equal(seen, expected):
    assert seen == expected, f"saw {seen!r:.500} where {expected!r:.500} was due"


def acks(prefix):
    topic = prefix + "-acks"
    create(topic)
    expected = []
    for level in (0, 1, "all"):
        values = [f"{level} {number}".encode() for number in range(200)]
        with producer(acks=level) as client:
            answers = send_all(client, topic, values)
        first = len(expected)
        if level != 0:
            equal([answer.offset for answer in answers], list(range(first, first + 200)))
        expected += values
        # Nothing answers acks=0: reading is the only way to know that the records are there.
        equal([record.value for record in read(topic, len(expected))], expected)


def codecs(prefix):
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        topic = f"{prefix}-codec-{codec}"
        create(topic)
        values = [b"%d " % number + b"all work and no play " * 20 for number in range(500)]
        with producer(compression_type=codec, linger_ms=20, batch_size=100_000) as client:
            send_all(client, topic, values)
        equal([record.value for record in read(topic, 500)], values)


def keys(prefix):
    topic = prefix + "-keys"
    create(topic, partitions=4)
    with producer(linger_ms=5) as client:
        for number in range(400):
            client.send(topic, b"%d" % number, key=b"key-%d" % (number % 20))
    by_key = defaultdict(list)
    for record in read(topic, 400, partitions=4):
        by_key[record.key].append((record.partition, int(record.value)))
    equal(len(by_key), 20)
    for entries in by_key.values():
        equal(len({partition for partition, _ in entries}), 1)
        numbers = [number for _, number in entries]
        equal(numbers, sorted(numbers))
    equal(len({entries[0][0] for entries in by_key.values()}), 4)


def keyless(prefix):
    topic = prefix + "-keyless"
    create(topic, partitions=4)
    with producer(batch_size=200) as client:
        for number in range(2000):
            client.send(topic, b"%d" % number)
    records = read(topic, 2000, partitions=4)
    equal(sorted(int(record.value) for record in records), list(range(2000)))
    equal({record.partition for record in records}, {0, 1, 2, 3})


def headers(prefix):
    topic = prefix + "-headers"
    create(topic)
    sent = [("trace", b"\x00\xff"), ("empty", b""), ("trace", b"again"), ("größe", "ü".encode())]
    with producer() as client:
        send_all(client, topic, [b"with"], headers=sent)
        send_all(client, topic, [b"without"])
    records = read(topic, 2)
    equal([list(record.headers) for record in records], [sent, []])


def timestamps(prefix):
    topic = prefix + "-timestamps"
    create(topic)
    create(topic + "-log", configs={"message.timestamp.type": "LogAppendTime"})
    given = int(time.time() * 1000) - 3_600_000
    with producer() as client:
        answer = send_all(client, topic, [b"given"], timestamp_ms=given)[0]
        before = int(time.time() * 1000)
        log = send_all(client, topic + "-log", [b"ignored"], timestamp_ms=given)[0]
    after = int(time.time() * 1000)
    equal(answer.timestamp, given)
    record = read(topic, 1)[0]
    equal((record.timestamp, record.timestamp_type), (given, 0))
    record = read(topic + "-log", 1)[0]
    equal((record.timestamp, record.timestamp_type), (log.timestamp, 1))
    assert before <= record.timestamp <= after, f"{before} <= {record.timestamp} <= {after}"


def tombstones(prefix):
    topic = prefix + "-tombstones"
    create(topic)
    with producer() as client:
        send_all(client, topic, [b"value", None, b""], key=b"key")
    records = read(topic, 3)
    equal([(record.key, record.value) for record in records], [(b"key", b"value"), (b"key", None), (b"key", b"")])


def large(prefix):
    topic = prefix + "-large"
    create(topic)
    value = bytes(number * 7 % 251 for number in range(900 * 1024))
    with producer() as client:
        send_all(client, topic, [b"small", value, b"small"])
    assert [record.value for record in read(topic, 3)] == [b"small", value, b"small"], "the large record changed"


def positions(prefix):
    topic = prefix + "-positions"
    create(topic)
    partition = TopicPartition(topic, 0)
    start = int(time.time() * 1000) - 100_000
    with producer() as sender, consumer() as client:
        for number in range(100):
            sender.send(topic, b"%d" % number, partition=0, timestamp_ms=start + number * 1000)
        sender.flush()
        equal(client.beginning_offsets([partition]), {partition: 0})
        equal(client.end_offsets([partition]), {partition: 100})
        found = client.offsets_for_times({partition: start + 41_500})[partition]
        equal((found.offset, found.timestamp), (42, start + 42_000))
        equal(client.offsets_for_times({partition: start + 99_001})[partition], None)
        client.assign([partition])
        client.seek(partition, found.offset)
        equal(next(client).value, b"42")
        client.seek_to_end(partition)
        equal(client.position(partition), 100)
        send_all(sender, topic, [b"new"])
        equal((next(client).value, client.position(partition)), (b"new", 101))
    with consumer(auto_offset_reset="latest") as client, producer() as sender:
        client.assign([partition])
        equal(client.position(partition), 101)
        client.seek(partition, 5_000)
        equal(client.poll(timeout_ms=200), {})
        send_all(sender, topic, [b"newest"])
        assert client.position(partition) >= 101


def metadata(prefix):
    topic = prefix + "-metadata"
    create(topic, partitions=3)
    with consumer() as client, admin() as manager:
        assert topic in client.topics()
        equal(client.partitions_for_topic(topic), {0, 1, 2})
        cluster = manager.describe_cluster()
        host, port = ADDRESS.rsplit(":", 1)
        equal([(broker["host"], broker["port"]) for broker in cluster["brokers"]], [(host, int(port))])
        assert cluster["cluster_id"] and cluster["controller_id"] == cluster["brokers"][0]["broker_id"], cluster
        described = manager.describe_topics([topic])[0]
        leaders = {part["partition_index"]: part["leader_id"] for part in described["partitions"]}
        equal(leaders, dict.fromkeys(range(3), cluster["controller_id"]))


def administration(prefix):
    topic = prefix + "-admin"
    create(topic, partitions=2, configs={"retention.ms": "3600000"})
    with admin() as client:
        try:
            client.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
            raise AssertionError("a topic was created twice")
        except TopicAlreadyExistsError:
            pass
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        configs = client.describe_configs([resource], config_filter="all")["topic"][topic]
        equal(configs["retention.ms"]["value"], "3600000")
        equal(configs["cleanup.policy"]["value"], "delete")
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"flush.ms": "5"})])
        configs = client.describe_configs([resource], config_filter="all")["topic"][topic]
        equal(configs["flush.ms"]["value"], "5")
        client.create_partitions({topic: 5})
        client.wait_for_topics([topic])
        equal(len(client.describe_topics([topic])[0]["partitions"]), 5)
        client.delete_topics([topic])
        deadline = time.monotonic() + WAIT_MS / 1000
        while topic in client.list_topics():
            assert time.monotonic() < deadline, "a deleted topic stayed"


def idempotence(prefix):
    topic = prefix + "-idempotence"
    create(topic)
    values = [b"%d" % number for number in range(3000)]
    with producer(enable_idempotence=True, batch_size=500) as client:
        answers = send_all(client, topic, values)
    equal([answer.offset for answer in answers], list(range(3000)))
    equal([record.value for record in read(topic, 3000)], values)


def unknown_topic(prefix):
    """For a broker that does not create topics by itself."""
    with producer(max_block_ms=1500) as client:
        try:
            client.send(prefix + "-unknown", b"value").get(WAIT_MS / 1000)
        except KafkaError:
            pass
        else:
            raise AssertionError("an unknown topic took a record")
    with admin() as client:
        assert prefix + "-unknown" not in client.list_topics()


def auto_creation(prefix):
    topic = prefix + "-auto"
    with producer() as client:
        client.send(topic, b"first").get(WAIT_MS / 1000)
        equal(client.partitions_for(topic), {0, 1, 2, 3})


def too_large(prefix):
    topic = prefix + "-too-large"
    create(topic, configs={"max.message.bytes": "10000"})
    with producer() as client:
        try:
            send_all(client, topic, [b"x" * 20_000])
        except MessageSizeTooLargeError:
            pass
        else:
            raise AssertionError("a record above max.message.bytes was taken")
    with producer() as client:
        equal(send_all(client, topic, [b"x" * 5_000])[0].offset, 0)


# A poll whose time is over while it waits for its group forgets the assignment that comes a moment
# later (kafka-python 3.0.12, with any broker), and the member stands still until its session is over.
POLL_MS = 500


def until(what, *clients):
    """Polls the clients until `what` holds. Answers the values that came meanwhile."""
    values, deadline = [], time.monotonic() + WAIT_MS / 1000
    while not what(values):
        assert time.monotonic() < deadline, f"time is over, {[client.assignment() for client in clients]}"
        for client in clients:
            records = [record for part in client.poll(timeout_ms=POLL_MS).values() for record in part]
            values += [record.value for record in records]
    return values


def groups(prefix):
    topic = prefix + "-groups"
    create(topic, partitions=4)
    expected = [str(number).encode() for number in range(40)]
    with producer() as client:
        send_all(client, topic, expected[:20], partition=0)
        send_all(client, topic, expected[20:], partition=3)

    def member(**settings):
        settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, **settings}
        return KafkaConsumer(topic, bootstrap_servers=ADDRESS, group_id=prefix, **settings)

    first = member()
    equal(sorted(until(lambda values: len(values) >= 40, first)), sorted(expected))
    first.commit()
    second = member()
    until(lambda _: len(first.assignment()) == 2 and len(second.assignment()) == 2, first, second)
    equal(len(first.assignment() | second.assignment()), 4)
    with producer() as client:
        send_all(client, topic, [b"after"], partition=0)
    equal(until(lambda values: values, first, second), [b"after"])
    first.commit_async()
    second.commit_async()
    second.close()
    until(lambda _: len(first.assignment()) == 4, first)
    # Closing commits nothing here; what was committed is what counts.
    positions = [first.committed(TopicPartition(topic, index)) for index in range(4)]
    equal([position for position in positions if position], [21, 20])
    first.close()
    with producer() as client:
        send_all(client, topic, [b"next"], partition=3)
    third = member(enable_auto_commit=True, auto_commit_interval_ms=50)
    equal(until(lambda values: values, third), [b"next"])
    third.close()
    with admin() as client:
        [described] = client.describe_groups([prefix]).values()
        equal(described["group_state"], "Empty")


def member(topic, instance=None):
    """One of a group until SIGTERM; says what it reads, and then that this is committed."""
    # It leaves at the end of the block, so that the others need not find out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with KafkaConsumer(
        topic,
        group_id=topic,
        bootstrap_servers=ADDRESS,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        group_instance_id=instance,
        session_timeout_ms=10_000 if instance else 2000,
        heartbeat_interval_ms=200,
        max_poll_interval_ms=10_000,
    ) as client:
        while True:
            batch = client.poll(timeout_ms=POLL_MS)
            for record in (record for records in batch.values() for record in records):
                print("read", record.partition, record.offset, flush=True)
            try:
                # All that poll gave, so not before all of it was said.
                client.commit()
            except KafkaError:
                continue
            for part, records in batch.items():
                print("committed", part.partition, records[-1].offset + 1, flush=True)


def main():
    global ADDRESS
    subject, ADDRESS, *arguments = sys.argv[1:]
    globals()[subject](*arguments)


if __name__ == "__main__":
    main()
