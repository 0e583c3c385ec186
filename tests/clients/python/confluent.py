"""What a program on confluent-kafka (librdkafka) can ask of a broker: one function a subject.

Usage: confluent.py produce ADDRESS FILE PREFIX CODEC,CODEC,…   every line of FILE to partition 0 of PREFIX-CODEC
       confluent.py consume ADDRESS DIRECTORY TOPIC,TOPIC,…     the values of partition 0 to DIRECTORY/TOPIC.out
       confluent.py SUBJECT ADDRESS PREFIX                      exit code 0 when the subject holds
"""

import functools
import os
import signal
import sys
import time
from collections import defaultdict

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

WAIT_S = 20.0
ADDRESS = ""


def producer(**settings):
    settings = {name.replace("_", "."): value for name, value in settings.items()}
    return Producer({"bootstrap.servers": ADDRESS, "message.timeout.ms": int(WAIT_S * 1000), **settings})


def consumer(**settings):
    settings = {name.replace("_", "."): value for name, value in settings.items()}
    # librdkafka insists on a group id; nothing here joins a group or commits.
    return Consumer(
        {
            "bootstrap.servers": ADDRESS,
            "group.id": "unused",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 100,
            **settings,
        }
    )


@functools.cache
def admin():
    # Kept: an admin client that goes out of scope drops the answers it waits for.
    return AdminClient({"bootstrap.servers": ADDRESS})


def create(topic, partitions=1, config=None):
    made = admin().create_topics([NewTopic(topic, partitions, 1, config=config or {})], request_timeout=WAIT_S)
    made[topic].result(WAIT_S)


def send_all(client, topic, values, **fields):
    """The delivery reports, in the order of the values."""
    reports = [None] * len(values)
    fields.setdefault("partition", 0)
    for index, value in enumerate(values):

        def delivered(error, message, index=index):
            reports[index] = error or message

        while True:
            try:
                client.produce(topic, value, on_delivery=delivered, **fields)
                break
            except BufferError:
                client.poll(0.1)
    equal(client.flush(WAIT_S), 0)
    for report in reports:
        if isinstance(report, KafkaError):
            raise KafkaException(report)
    return reports


def read_to_end(client, topics_and_partitions):
    """Every record from the beginning to the end that each partition has now."""
    client.assign([TopicPartition(topic, index, OFFSET_BEGINNING) for topic, index in topics_and_partitions])
    left = set(topics_and_partitions)
    deadline = time.monotonic() + 3 * WAIT_S
    while left:
        message = client.poll(1.0)
        assert time.monotonic() < deadline, f"no end of {left} within {3 * WAIT_S} s"
        if message is None:
            continue
        error = message.error()
        if error is None:
            yield message
        elif error.code() == KafkaError._PARTITION_EOF:
            left.discard((message.topic(), message.partition()))
        else:
            raise KafkaException(error)


def read(topic, partitions=1, **settings):
    client = consumer(**settings)
    records = list(read_to_end(client, [(topic, index) for index in range(partitions)]))
    client.close()
    return records


def equal(seen, expected):
    assert seen == expected, f"saw {seen!r:.500} where {expected!r:.500} was due"


def produce(path, prefix, codecs):
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for codec in codecs.split(","):
        client = producer(compression_type=codec, acks="all", linger_ms=20)
        send_all(client, f"{prefix}-{codec}", lines)


def consume(directory, topics):
    values = {topic: [] for topic in topics.split(",")}
    client = consumer()
    for message in read_to_end(client, [(topic, 0) for topic in values]):
        values[message.topic()].append(message.value())
    client.close()
    for topic, lines in values.items():
        with open(os.path.join(directory, topic + ".out"), "wb") as file:
            file.writelines(line + b"\n" for line in lines)


def acks(prefix):
    topic = prefix + "-acks"
    create(topic)
    expected = []
    for level in ("1", "all", "0"):
        values = [f"{level} {number}".encode() for number in range(200)]
        reports = send_all(producer(acks=level), topic, values)
        first = len(expected)
        if level != "0":
            equal([report.offset() for report in reports], list(range(first, first + 200)))
        expected += values
        # Nothing answers acks=0: reading is the only way to know that the records are there.
        deadline = time.monotonic() + WAIT_S
        while len(values := [record.value() for record in read(topic)]) < len(expected):
            assert time.monotonic() < deadline, f"{len(values)} of {len(expected)} records at acks={level}"
        equal(values, expected)


def codecs(prefix):
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        topic = f"{prefix}-codec-{codec}"
        create(topic)
        values = [b"%d " % number + b"all work and no play " * 20 for number in range(500)]
        send_all(producer(compression_type=codec, linger_ms=20), topic, values)
        equal([record.value() for record in read(topic)], values)


def keys(prefix):
    topic = prefix + "-keys"
    create(topic, partitions=4)
    client = producer()
    for number in range(400):
        client.produce(topic, b"%d" % number, key=b"key-%d" % (number % 20))
    equal(client.flush(WAIT_S), 0)
    by_key = defaultdict(list)
    for record in read(topic, partitions=4):
        by_key[record.key()].append((record.partition(), int(record.value())))
    equal(len(by_key), 20)
    for entries in by_key.values():
        equal(len({partition for partition, _ in entries}), 1)
        equal([number for _, number in entries], sorted(number for _, number in entries))
    equal(len({entries[0][0] for entries in by_key.values()}), 4)


def keyless(prefix):
    topic = prefix + "-keyless"
    create(topic, partitions=4)
    client = producer(sticky_partitioning_linger_ms=0)
    for number in range(2000):
        client.produce(topic, b"%d" % number)
    equal(client.flush(WAIT_S), 0)
    records = read(topic, partitions=4)
    equal(sorted(int(record.value()) for record in records), list(range(2000)))
    equal({record.partition() for record in records}, {0, 1, 2, 3})


def headers(prefix):
    topic = prefix + "-headers"
    create(topic)
    sent = [("trace", b"\x00\xff"), ("empty", b""), ("null", None), ("trace", b"again"), ("größe", "ü".encode())]
    client = producer()
    send_all(client, topic, [b"with"], headers=sent)
    send_all(client, topic, [b"without"])
    equal([record.headers() for record in read(topic)], [sent, None])


def timestamps(prefix):
    topic = prefix + "-timestamps"
    create(topic)
    create(topic + "-log", config={"message.timestamp.type": "LogAppendTime"})
    given = int(time.time() * 1000) - 3_600_000
    client = producer()
    send_all(client, topic, [b"given"], timestamp=given)
    equal(read(topic)[0].timestamp(), (1, given))
    before = int(time.time() * 1000)
    log = send_all(client, topic + "-log", [b"ignored"], timestamp=given)[0]
    after = int(time.time() * 1000)
    kind, stamp = read(topic + "-log")[0].timestamp()
    equal((kind, stamp), (2, log.timestamp()[1]))
    assert before <= stamp <= after, f"{before} <= {stamp} <= {after}"


def tombstones(prefix):
    topic = prefix + "-tombstones"
    create(topic)
    send_all(producer(), topic, [b"value", None, b""], key=b"key")
    equal([(r.key(), r.value()) for r in read(topic)], [(b"key", b"value"), (b"key", None), (b"key", b"")])


def large(prefix):
    topic = prefix + "-large"
    create(topic)
    value = bytes(number * 7 % 251 for number in range(900 * 1024))
    send_all(producer(), topic, [b"small", value, b"small"])
    # Far less than one record per partition and answer: the first batch must come whole all the same.
    for bound in (1024, 1024 * 1024):
        values = [record.value() for record in read(topic, max_partition_fetch_bytes=bound)]
        assert values == [b"small", value, b"small"], "the large record changed"


def positions(prefix):
    topic = prefix + "-positions"
    create(topic)
    start = int(time.time() * 1000) - 100_000
    sender = producer()
    for number in range(100):
        sender.produce(topic, b"%d" % number, partition=0, timestamp=start + number * 1000)
    equal(sender.flush(WAIT_S), 0)
    client = consumer()
    partition = TopicPartition(topic, 0)
    equal(client.get_watermark_offsets(partition, timeout=WAIT_S), (0, 100))
    found = client.offsets_for_times([TopicPartition(topic, 0, start + 41_500)], timeout=WAIT_S)[0]
    equal(found.offset, 42)
    # -1 is how librdkafka says: none so late, the end.
    equal(client.offsets_for_times([TopicPartition(topic, 0, start + 99_001)], timeout=WAIT_S)[0].offset, -1)
    for offset, value in ((42, b"42"), (OFFSET_BEGINNING, b"0"), (99, b"99")):
        client.assign([TopicPartition(topic, 0, offset)])
        equal(client.poll(WAIT_S).value(), value)
    equal(client.poll(WAIT_S).error().code(), KafkaError._PARTITION_EOF)
    send_all(sender, topic, [b"new"])
    equal(client.poll(WAIT_S).value(), b"new")
    client.close()
    strict = consumer(auto_offset_reset="error")
    strict.assign([TopicPartition(topic, 0, 5_000)])
    equal(strict.poll(WAIT_S).error().code(), KafkaError._AUTO_OFFSET_RESET)
    strict.close()
    listed = admin().list_offsets({partition: OffsetSpec.max_timestamp()})[partition].result(WAIT_S)
    equal(listed.offset, 100)


def metadata(prefix):
    topic = prefix + "-metadata"
    create(topic, partitions=3)
    listed = admin().list_topics(timeout=WAIT_S)
    host, port = ADDRESS.rsplit(":", 1)
    equal([(broker.host, broker.port) for broker in listed.brokers.values()], [(host, int(port))])
    assert listed.cluster_id and listed.controller_id in listed.brokers, listed
    leaders = {index: part.leader for index, part in listed.topics[topic].partitions.items()}
    equal(leaders, dict.fromkeys(range(3), listed.controller_id))
    cluster = admin().describe_cluster().result(WAIT_S)
    equal((cluster.cluster_id, cluster.controller.id), (listed.cluster_id, listed.controller_id))


def administration(prefix):
    topic = prefix + "-admin"
    create(topic, partitions=2, config={"retention.ms": "3600000"})
    client = admin()
    try:
        create(topic)
        raise AssertionError("a topic was created twice")
    except KafkaException as error:
        equal(error.args[0].code(), KafkaError.TOPIC_ALREADY_EXISTS)
    resource = ConfigResource(ResourceType.TOPIC, topic)
    configs = client.describe_configs([resource])[resource].result(WAIT_S)
    equal((configs["retention.ms"].value, configs["retention.ms"].is_default), ("3600000", False))
    equal((configs["cleanup.policy"].value, configs["cleanup.policy"].is_default), ("delete", True))
    changes = [
        ConfigEntry("retention.ms", "7200000", incremental_operation=AlterConfigOpType.SET),
        ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND),
    ]
    change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=changes)
    client.incremental_alter_configs([change])[change].result(WAIT_S)
    configs = client.describe_configs([resource])[resource].result(WAIT_S)
    equal((configs["retention.ms"].value, configs["cleanup.policy"].value), ("7200000", "delete,compact"))
    change = ConfigResource(ResourceType.TOPIC, topic, set_config={"flush.ms": "5"})
    client.alter_configs([change])[change].result(WAIT_S)
    configs = client.describe_configs([resource])[resource].result(WAIT_S)
    equal((configs["flush.ms"].value, configs["retention.ms"].is_default), ("5", True))
    client.create_partitions([NewPartitions(topic, 5)])[topic].result(WAIT_S)
    equal(len(client.list_topics(topic, timeout=WAIT_S).topics[topic].partitions), 5)
    client.delete_topics([topic], operation_timeout=WAIT_S)[topic].result(WAIT_S)
    deadline = time.monotonic() + WAIT_S
    while topic in client.list_topics(timeout=WAIT_S).topics:
        assert time.monotonic() < deadline, "a deleted topic stayed"


def idempotence(prefix):
    topic = prefix + "-idempotence"
    create(topic)
    values = [b"%d" % number for number in range(3000)]
    reports = send_all(producer(enable_idempotence=True, batch_num_messages=20), topic, values)
    equal([report.offset() for report in reports], list(range(3000)))
    equal([record.value() for record in read(topic)], values)


def unknown_topic(prefix):
    """For a broker that does not create topics by itself."""
    try:
        send_all(producer(topic_metadata_propagation_max_ms=500, message_timeout_ms=3000), prefix + "-unknown", [b"v"])
        raise AssertionError("an unknown topic took a record")
    except KafkaException as error:
        assert error.args[0].code() in (KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART), error
    assert prefix + "-unknown" not in admin().list_topics(timeout=WAIT_S).topics


def auto_creation(prefix):
    topic = prefix + "-auto"
    client = producer()
    send_all(client, topic, [b"first"])
    equal(len(client.list_topics(topic, timeout=WAIT_S).topics[topic].partitions), 4)


def too_large(prefix):
    topic = prefix + "-too-large"
    create(topic, config={"max.message.bytes": "10000"})
    client = producer()
    try:
        send_all(client, topic, [b"x" * 20_000])
        raise AssertionError("a record above max.message.bytes was taken")
    except KafkaException as error:
        equal(error.args[0].code(), KafkaError.MSG_SIZE_TOO_LARGE)
    equal(send_all(client, topic, [b"x" * 5_000])[0].offset(), 0)


def until(what, *clients):
    """Polls the clients until `what` holds. Answers the values that came meanwhile."""
    values, deadline = [], time.monotonic() + WAIT_S
    while not what(values):
        assert time.monotonic() < deadline, f"time is over, {[client.assignment() for client in clients]}"
        for client in clients:
            message = client.poll(0.02)
            if message is not None and not message.error():
                values.append(message.value())
    return values


def groups(prefix):
    for strategy in ("range", "roundrobin", "cooperative-sticky"):
        # A static member that does not come back is out after its session.
        timeout = {"session_timeout_ms": 6000}
        share(f"{prefix}-{strategy}", partition_assignment_strategy=strategy, **timeout)


def consumer_groups(prefix):
    share(prefix + "-consumer", group_protocol="consumer")


def share(topic, **protocol):
    create(topic, partitions=4)
    expected = [str(number).encode() for number in range(40)]
    send_all(producer(), topic, expected[:20], partition=0)
    send_all(producer(), topic, expected[20:], partition=3)

    def member(**settings):
        settings = {"group_id": topic, "auto_offset_reset": "earliest", **settings}
        client = consumer(**protocol, **settings)
        client.subscribe([topic])
        return client

    def has(client, count):
        return len(client.assignment()) == count

    first = member()
    equal(sorted(until(lambda values: len(values) >= 40, first)), sorted(expected))
    first.commit(asynchronous=False)
    second = member(group_instance_id="second")
    until(lambda _: has(first, 2) and has(second, 2), first, second)
    equal(len({part.partition for client in (first, second) for part in client.assignment()}), 4)
    send_all(producer(), topic, [b"after"])
    equal(until(lambda values: values, first, second), [b"after"])
    # A static member that comes back finds its partitions, and nobody else notices.
    second.close()
    second = member(group_instance_id="second")
    until(lambda _: has(second, 2), second)
    assert has(first, 2)
    second.close()
    until(lambda _: has(first, 4), first)
    first.close()
    last = member()
    equal(until(lambda values: values, last), [b"after"])
    equal([part.offset for part in last.committed([TopicPartition(topic, 3)], WAIT_S)], [20])
    last.close()
    described = admin().describe_consumer_groups([topic])[topic].result(WAIT_S)
    kind = "CONSUMER" if protocol.get("group_protocol") else "CLASSIC"
    equal((described.state.name, described.type.name, described.members), ("EMPTY", kind, []))
    assert topic in [group.group_id for group in admin().list_consumer_groups().result(WAIT_S).valid]
    admin().delete_consumer_groups([topic])[topic].result(WAIT_S)


def member(topic, instance=None):
    """One of a group until SIGTERM; says what it reads, and then that this is committed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    client = consumer(
        group_id=topic,
        auto_offset_reset="earliest",
        partition_assignment_strategy="roundrobin",
        heartbeat_interval_ms=200,
        max_poll_interval_ms=10_000,
        **({"group_instance_id": instance, "session_timeout_ms": 10_000} if instance else {"session_timeout_ms": 2000}),
    )
    client.subscribe([topic])
    try:
        while True:
            message = client.poll(0.2)
            if message is None or message.error():
                continue
            print("read", message.partition(), message.offset(), flush=True)
            try:
                client.commit(message, asynchronous=False)
            except KafkaException:
                continue
            print("committed", message.partition(), message.offset() + 1, flush=True)
    finally:
        # It leaves, so that the others need not find out.
        client.close()


def numbers(topic, partitions):
    """Sends numbers to the partitions in turn until it is ended; says how many are acknowledged."""
    client = producer(enable_idempotence=True)
    sent = 0
    while True:
        for partition in range(int(partitions)):
            send_all(client, topic, [str(sent).encode()], partition=partition)
            sent += 1
            print("sent", partition, sent, flush=True)


def main():
    global ADDRESS
    subject, ADDRESS = sys.argv[1:3]
    globals()[subject](*sys.argv[3:])


if __name__ == "__main__":
    main()
