package client;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;

/** One method a subject; it returns when the subject holds and throws when not. */
final class Subjects {
    private final Cluster cluster;

    private Subjects(Cluster cluster) {
        this.cluster = cluster;
    }

    static void run(String subject, Cluster cluster, String prefix) throws Exception {
        Subjects subjects = new Subjects(cluster);
        String topic = prefix + "-" + subject;
        switch (subject) {
            case "acks" -> subjects.acks(topic);
            case "codecs" -> subjects.codecs(topic);
            case "keys" -> subjects.keys(topic);
            case "keyless" -> subjects.keyless(topic);
            case "headers" -> subjects.headers(topic);
            case "timestamps" -> subjects.timestamps(topic);
            case "tombstones" -> subjects.tombstones(topic);
            case "large" -> subjects.large(topic);
            case "positions" -> subjects.positions(topic);
            case "metadata" -> subjects.metadata(topic);
            case "administration" -> subjects.administration(topic);
            case "idempotence" -> subjects.idempotence(topic);
            case "groups" -> Groups.share(cluster, topic);
            case "migration" -> Groups.migrate(cluster, topic);
            case "consumer_groups" -> Groups.shareByBroker(cluster, topic);
            case "unknown_topic" -> subjects.unknownTopic(topic);
            case "auto_creation" -> subjects.autoCreation(topic);
            case "too_large" -> subjects.tooLarge(topic);
            default -> throw new IllegalArgumentException("no subject " + subject);
        }
    }

    private void acks(String topic) throws Exception {
        cluster.create(topic, 1, Map.of());
        List<String> expected = new ArrayList<>();
        for (String level : List.of("0", "1", "all")) {
            List<String> values = texts(200, " at " + level);
            List<RecordMetadata> answers = cluster.send(Map.of("acks", level), topic, bytes(values));
            equal(answers.get(0).offset(), level.equals("0") ? -1L : expected.size());
            expected.addAll(values);
            // Nothing answers acks=0: reading is the only way to know that the records are there.
            long deadline = System.nanoTime() + Cluster.WAIT.toNanos();
            List<String> seen = values(cluster.read(topic));
            while (seen.size() < expected.size() && System.nanoTime() < deadline) {
                seen = values(cluster.read(topic));
            }
            equal(seen, expected);
        }
    }

    private void codecs(String topic) throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            cluster.create(topic + codec, 1, Map.of());
            List<String> values = texts(500, " all work and no play".repeat(20));
            cluster.send(Map.of("compression.type", codec, "linger.ms", 20), topic + codec, bytes(values));
            equal(values(cluster.read(topic + codec)), values);
        }
    }

    private void keys(String topic) throws Exception {
        cluster.create(topic, 4, Map.of());
        try (KafkaProducer<byte[], byte[]> producer = cluster.producer(Map.of())) {
            for (int number = 0; number < 400; number++) {
                byte[] key = ("key-" + number % 20).getBytes(UTF_8);
                producer.send(new ProducerRecord<>(topic, key, String.valueOf(number).getBytes(UTF_8)));
            }
        }
        Map<String, Integer> homes = new HashMap<>();
        Map<String, Integer> last = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : cluster.read(Map.of(), Cluster.partitions(topic, 4))) {
            String key = new String(record.key(), UTF_8);
            int number = Integer.parseInt(new String(record.value(), UTF_8));
            equal(homes.getOrDefault(key, record.partition()), record.partition());
            homes.put(key, record.partition());
            hold(last.getOrDefault(key, -1) < number, key + " out of order at " + number);
            last.put(key, number);
        }
        equal(homes.size(), 20);
        equal(Set.copyOf(homes.values()).size(), 4);
        equal(last.values().stream().mapToInt(number -> number).sum(), IntStream.range(380, 400).sum());
    }

    private void keyless(String topic) throws Exception {
        cluster.create(topic, 4, Map.of());
        Map<String, Object> roundRobin =
                Map.of("partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner");
        try (KafkaProducer<byte[], byte[]> producer = cluster.producer(roundRobin)) {
            bytes(texts(400, "")).forEach(value -> producer.send(new ProducerRecord<>(topic, value)));
        }
        List<ConsumerRecord<byte[], byte[]>> records = cluster.read(Map.of(), Cluster.partitions(topic, 4));
        Set<Integer> used = new HashSet<>();
        records.forEach(record -> used.add(record.partition()));
        equal(used, Set.of(0, 1, 2, 3));
        equal(records.size(), 400);
        equal(Set.copyOf(values(records)), Set.copyOf(texts(400, "")));
    }

    private void headers(String topic) throws Exception {
        cluster.create(topic, 1, Map.of());
        List<String> names = List.of("trace", "empty", "null", "trace", "größe");
        byte[][] contents = {{0, -1}, {}, null, {7}, "ü".getBytes(UTF_8)};
        try (KafkaProducer<byte[], byte[]> producer = cluster.producer(Map.of())) {
            ProducerRecord<byte[], byte[]> with = new ProducerRecord<>(topic, "with".getBytes(UTF_8));
            for (int index = 0; index < contents.length; index++) {
                with.headers().add(names.get(index), contents[index]);
            }
            producer.send(with);
            producer.send(new ProducerRecord<>(topic, "without".getBytes(UTF_8)));
        }
        List<ConsumerRecord<byte[], byte[]>> records = cluster.read(topic);
        Header[] seen = records.get(0).headers().toArray();
        equal(Arrays.stream(seen).map(Header::key).toList(), names);
        hold(Arrays.deepEquals(Arrays.stream(seen).map(Header::value).toArray(), contents), "header values changed");
        equal(records.get(1).headers().toArray().length, 0);
    }

    private void timestamps(String topic) throws Exception {
        cluster.create(topic, 1, Map.of());
        cluster.create(topic + "-log", 1, Map.of("message.timestamp.type", "LogAppendTime"));
        long before = System.currentTimeMillis();
        long given = before - 3_600_000;
        long logged;
        try (KafkaProducer<byte[], byte[]> producer = cluster.producer(Map.of())) {
            byte[] value = {1};
            producer.send(new ProducerRecord<>(topic, 0, given, null, value));
            logged = producer.send(new ProducerRecord<>(topic + "-log", 0, given, null, value)).get().timestamp();
        }
        ConsumerRecord<byte[], byte[]> record = cluster.read(topic).get(0);
        equal(record.timestamp(), given);
        equal(record.timestampType(), TimestampType.CREATE_TIME);
        record = cluster.read(topic + "-log").get(0);
        equal(record.timestamp(), logged);
        equal(record.timestampType(), TimestampType.LOG_APPEND_TIME);
        hold(before <= logged && logged <= System.currentTimeMillis(), logged + " is not the time of the append");
    }

    private void tombstones(String topic) throws Exception {
        cluster.create(topic, 1, Map.of());
        cluster.send(Map.of(), topic, Arrays.asList("value".getBytes(UTF_8), null, new byte[0]));
        equal(values(cluster.read(topic)), Arrays.asList("value", null, ""));
    }

    private void large(String topic) throws Exception {
        cluster.create(topic, 1, Map.of());
        byte[] value = new byte[900 * 1024];
        for (int index = 0; index < value.length; index++) {
            value[index] = (byte) (index * 7 % 251);
        }
        byte[] small = {1};
        cluster.send(Map.of(), topic, List.of(small, value, small));
        for (int bound : new int[] {100, 1 << 20}) {
            Map<String, Object> settings = Map.of("max.partition.fetch.bytes", bound);
            List<ConsumerRecord<byte[], byte[]>> records = cluster.read(settings, Cluster.partitions(topic, 1));
            equal(records.size(), 3);
            hold(Arrays.equals(records.get(1).value(), value), "the large record changed");
        }
    }

    private void positions(String topic) throws Exception {
        cluster.create(topic, 1, Map.of());
        TopicPartition partition = new TopicPartition(topic, 0);
        long start = System.currentTimeMillis() - 100_000;
        try (KafkaProducer<byte[], byte[]> producer = cluster.producer(Map.of())) {
            for (int number = 0; number < 100; number++) {
                byte[] value = String.valueOf(number).getBytes(UTF_8);
                producer.send(new ProducerRecord<>(topic, 0, start + number * 1000L, null, value));
            }
        }
        Map<String, Object> strict = Map.of("auto.offset.reset", "none", "max.poll.records", 1);
        try (KafkaConsumer<byte[], byte[]> consumer = cluster.consumer(strict)) {
            equal(consumer.beginningOffsets(List.of(partition)), Map.of(partition, 0L));
            equal(consumer.endOffsets(List.of(partition)), Map.of(partition, 100L));
            OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(partition, start + 41_500)).get(partition);
            equal(List.of(found.offset(), found.timestamp()), List.of(42L, start + 42_000));
            equal(consumer.offsetsForTimes(Map.of(partition, start + 99_001)).get(partition), null);
            consumer.assign(List.of(partition));
            consumer.seek(partition, found.offset());
            equal(values(poll(consumer)), List.of("42"));
            consumer.seekToEnd(List.of(partition));
            equal(consumer.position(partition), 100L);
            cluster.send(Map.of(), topic, bytes(List.of("new")));
            equal(values(poll(consumer)), List.of("new"));
            consumer.seek(partition, 5_000);
            try {
                poll(consumer);
                throw new AssertionError("an offset beyond the end was read");
            } catch (OffsetOutOfRangeException expected) {
                equal(expected.offsetOutOfRangePartitions(), Map.of(partition, 5_000L));
            }
        }
        try (Admin admin = cluster.admin()) {
            OffsetSpec latest = OffsetSpec.maxTimestamp();
            equal(admin.listOffsets(Map.of(partition, latest)).partitionResult(partition).get().offset(), 100L);
        }
    }

    private void metadata(String topic) throws Exception {
        cluster.create(topic, 3, Map.of());
        try (Admin admin = cluster.admin()) {
            DescribeClusterResult described = admin.describeCluster();
            List<Node> nodes = List.copyOf(described.nodes().get());
            equal(nodes.stream().map(node -> node.host() + ":" + node.port()).toList(), List.of(cluster.address()));
            equal(described.controller().get().id(), nodes.get(0).id());
            hold(!described.clusterId().get().isEmpty(), "no cluster id");
            hold(admin.listTopics().names().get().contains(topic), "the topic is not listed");
            TopicDescription found = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
            hold(!found.topicId().equals(Uuid.ZERO_UUID), "no topic id");
            equal(found.partitions().size(), 3);
            found.partitions().forEach(partition -> equal(partition.leader().id(), nodes.get(0).id()));
        }
    }

    private void administration(String topic) throws Exception {
        cluster.create(topic, 2, Map.of("retention.ms", "3600000"));
        fails(TopicExistsException.class, () -> cluster.create(topic, 1, Map.of()));
        try (Admin admin = cluster.admin()) {
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            Config config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
            equal(config.get("retention.ms").value(), "3600000");
            equal(config.get("retention.ms").isDefault(), false);
            equal(config.get("cleanup.policy").value(), "delete");
            equal(config.get("cleanup.policy").isDefault(), true);
            alter(admin, resource, "cleanup.policy", "compact", AlterConfigOp.OpType.APPEND);
            config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
            equal(config.get("cleanup.policy").value(), "delete,compact");
            equal(config.get("retention.ms").value(), "3600000");
            ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, topic);
            alter(admin, group, "consumer.session.timeout.ms", "50000", AlterConfigOp.OpType.SET);
            config = admin.describeConfigs(List.of(group)).all().get().get(group);
            equal(config.get("consumer.session.timeout.ms").value(), "50000");
            hold(admin.listConfigResources(Set.of(ConfigResource.Type.GROUP), new ListConfigResourcesOptions())
                    .all().get().contains(group), "a group with settings is not listed");
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
            TopicDescription grown = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
            equal(grown.partitions().size(), 5);
            admin.deleteTopics(List.of(topic)).all().get();
            long deadline = System.nanoTime() + Cluster.WAIT.toNanos();
            while (admin.listTopics().names().get().contains(topic)) {
                hold(System.nanoTime() < deadline, "a deleted topic stayed");
            }
        }
    }

    private static void alter(
            Admin admin, ConfigResource resource, String name, String value, AlterConfigOp.OpType operation)
            throws Exception {
        AlterConfigOp change = new AlterConfigOp(new ConfigEntry(name, value), operation);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
    }

    private void idempotence(String topic) throws Exception {
        cluster.create(topic, 1, Map.of());
        List<String> values = texts(3000, "");
        Map<String, Object> settings = Map.of("enable.idempotence", true, "batch.size", 500);
        List<RecordMetadata> answers = cluster.send(settings, topic, bytes(values));
        List<Long> offsets = answers.stream().map(RecordMetadata::offset).toList();
        equal(offsets, LongStream.range(0, 3000).boxed().toList());
        equal(values(cluster.read(topic)), values);
    }

    /** For a broker that does not create topics by itself. */
    private void unknownTopic(String topic) throws Exception {
        fails(TimeoutException.class, () -> cluster.send(Map.of("max.block.ms", 1500), topic, bytes(List.of("value"))));
        try (Admin admin = cluster.admin()) {
            hold(!admin.listTopics().names().get().contains(topic), "the topic came by itself");
        }
    }

    private void autoCreation(String topic) throws Exception {
        equal(cluster.send(Map.of(), topic, bytes(List.of("first"))).get(0).offset(), 0L);
        try (KafkaConsumer<byte[], byte[]> consumer = cluster.consumer(Map.of())) {
            equal(consumer.partitionsFor(topic).size(), 4);
        }
    }

    private void tooLarge(String topic) throws Exception {
        cluster.create(topic, 1, Map.of("max.message.bytes", "10000"));
        fails(RecordTooLargeException.class, () -> cluster.send(Map.of(), topic, List.of(new byte[20_000])));
        equal(cluster.send(Map.of(), topic, List.of(new byte[5_000])).get(0).offset(), 0L);
    }

    private static List<ConsumerRecord<byte[], byte[]>> poll(KafkaConsumer<byte[], byte[]> consumer) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        consumer.poll(Duration.ofSeconds(20)).forEach(records::add);
        return records;
    }

    private static List<String> texts(int count, String words) {
        return IntStream.range(0, count).mapToObj(number -> number + words).toList();
    }

    private static List<byte[]> bytes(List<String> texts) {
        return texts.stream().map(text -> text.getBytes(UTF_8)).toList();
    }

    private static List<String> values(List<ConsumerRecord<byte[], byte[]>> records) {
        List<String> texts = new ArrayList<>();
        records.forEach(record -> texts.add(record.value() == null ? null : new String(record.value(), UTF_8)));
        return texts;
    }

    private interface Step {
        void take() throws Exception;
    }

    private static void fails(Class<? extends Exception> kind, Step step) throws Exception {
        try {
            step.take();
        } catch (ExecutionException failure) {
            hold(kind.isInstance(failure.getCause()), failure.toString());
            return;
        }
        throw new AssertionError("no " + kind.getSimpleName());
    }

    private static void equal(Object seen, Object expected) {
        // Offsets come as int and long; what counts is the number.
        boolean same = seen instanceof Number one && expected instanceof Number other
                ? one.longValue() == other.longValue()
                : Objects.equals(seen, expected);
        hold(same, "saw " + shortened(seen) + " where " + shortened(expected) + " was due");
    }

    private static String shortened(Object value) {
        String text = String.valueOf(value);
        return text.substring(0, Math.min(300, text.length()));
    }

    private static void hold(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }
}
