package client;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;

/** Members of a group that share a topic's partitions. */
final class Groups {
    private static final String ASSIGNORS = "org.apache.kafka.clients.consumer.";

    private final Cluster cluster;
    private final String topic;
    private final Map<String, Object> settings;

    private Groups(Cluster cluster, String topic, Map<String, Object> settings) {
        this.cluster = cluster;
        this.topic = topic;
        this.settings = settings;
    }

    static void share(Cluster cluster, String prefix) throws Exception {
        for (String assignor : List.of("RangeAssignor", "CooperativeStickyAssignor")) {
            String strategy = ASSIGNORS + assignor;
            Map<String, Object> settings = Map.of(
                    "partition.assignment.strategy", strategy, "session.timeout.ms", 6000, "heartbeat.interval.ms", 200);
            new Groups(cluster, prefix + "-" + assignor, settings).run();
        }
    }

    /** The broker assigns, in each of its ways. */
    static void shareByBroker(Cluster cluster, String prefix) throws Exception {
        for (String assignor : List.of("uniform", "range")) {
            Map<String, Object> settings = Map.of("group.protocol", "consumer", "group.remote.assignor", assignor);
            new Groups(cluster, prefix + "-" + assignor, settings).run();
        }
    }

    /** Members of both protocols are in one group, which becomes one of the other kind with them in it. */
    static void migrate(Cluster cluster, String prefix) throws Exception {
        for (String assignor : List.of("RangeAssignor", "CooperativeStickyAssignor")) {
            Map<String, Object> classic = Map.of(
                    "partition.assignment.strategy", ASSIGNORS + assignor, "session.timeout.ms", 6000,
                    "heartbeat.interval.ms", 200);
            String topic = prefix + "-" + assignor;
            new Groups(cluster, topic, classic).migrateTo(new Groups(cluster, topic, Map.of("group.protocol", "consumer")));
        }
    }

    private void migrateTo(Groups newer) throws Exception {
        cluster.create(topic, 4, Map.of());
        KafkaConsumer<byte[], byte[]> first = member(null);
        until(read -> first.assignment().size() == 4, first);
        KafkaConsumer<byte[], byte[]> second = newer.member(null);
        until(read -> first.assignment().size() == 2 && second.assignment().size() == 2, first, second);
        delivers(first, second);
        is(GroupType.CONSUMER);
        first.close();
        until(read -> second.assignment().size() == 4, second);
        delivers(second);
        KafkaConsumer<byte[], byte[]> third = member(null);
        until(read -> second.assignment().size() == 2 && third.assignment().size() == 2, second, third);
        delivers(second, third);
        second.close();
        until(read -> third.assignment().size() == 4, third);
        delivers(third);
        is(GroupType.CLASSIC);
        third.close();
    }

    /** What is sent now is read once, and committed. */
    @SafeVarargs
    private void delivers(KafkaConsumer<byte[], byte[]>... members) throws Exception {
        List<byte[]> values = new ArrayList<>();
        for (int number = 0; number < 40; number++) {
            values.add(String.valueOf(number).getBytes(UTF_8));
        }
        cluster.send(Map.of(), topic, values);
        List<String> read = until(seen -> seen.size() >= 40, members);
        check(new HashSet<>(read).size() == 40 && read.size() == 40, "read: " + read);
        for (KafkaConsumer<byte[], byte[]> member : members) {
            member.commitSync();
        }
    }

    private void is(GroupType type) throws Exception {
        try (Admin admin = cluster.admin()) {
            long wait = Cluster.WAIT.toSeconds();
            ConsumerGroupDescription described =
                    admin.describeConsumerGroups(List.of(topic)).describedGroups().get(topic).get(wait, TimeUnit.SECONDS);
            check(described.type() == type, "described as " + described);
        }
    }

    private void run() throws Exception {
        cluster.create(topic, 4, Map.of());
        List<byte[]> values = new ArrayList<>();
        for (int number = 0; number < 40; number++) {
            values.add(String.valueOf(number).getBytes(UTF_8));
        }
        cluster.send(Map.of(), topic, values);
        KafkaConsumer<byte[], byte[]> first = member(null);
        until(read -> read.size() >= 40, first);
        first.commitSync();
        KafkaConsumer<byte[], byte[]> second = member("second");
        until(read -> first.assignment().size() == 2 && second.assignment().size() == 2, first, second);
        Set<TopicPartition> all = new HashSet<>(first.assignment());
        all.addAll(second.assignment());
        check(all.size() == 4, "partitions that nobody or both have");
        cluster.send(Map.of(), topic, List.of("after".getBytes(UTF_8)));
        check(until(read -> !read.isEmpty(), first, second).equals(List.of("after")), "not what was sent");
        first.commitSync();
        second.commitSync();
        // A static member that comes back finds its partitions, and nobody else notices.
        second.close();
        KafkaConsumer<byte[], byte[]> returned = member("second");
        until(read -> returned.assignment().size() == 2, returned);
        check(first.assignment().size() == 2, "the other member was disturbed");
        returned.close();
        until(read -> first.assignment().size() == 4, first);
        first.close();
        administer();
    }

    private void administer() throws Exception {
        try (Admin admin = cluster.admin()) {
            long wait = Cluster.WAIT.toSeconds();
            Map<TopicPartition, OffsetAndMetadata> offsets = admin.listConsumerGroupOffsets(topic)
                    .partitionsToOffsetAndMetadata().get(wait, TimeUnit.SECONDS);
            check(offsets.get(new TopicPartition(topic, 0)).offset() == 41, "committed: " + offsets);
            ConsumerGroupDescription described =
                    admin.describeConsumerGroups(List.of(topic)).describedGroups().get(topic).get(wait, TimeUnit.SECONDS);
            check(described.groupState() == GroupState.EMPTY, "described as " + described);
            boolean byBroker = settings.containsKey("group.protocol");
            check(described.type() == (byBroker ? GroupType.CONSUMER : GroupType.CLASSIC), "of type " + described.type());
            admin.deleteConsumerGroups(List.of(topic)).all().get(wait, TimeUnit.SECONDS);
        }
    }

    private KafkaConsumer<byte[], byte[]> member(String instance) {
        Map<String, Object> all = new HashMap<>(settings);
        all.putAll(Map.of("group.id", topic, "auto.offset.reset", "earliest", "enable.auto.commit", false));
        if (instance != null) {
            all.put("group.instance.id", instance);
        }
        KafkaConsumer<byte[], byte[]> consumer = cluster.consumer(all);
        consumer.subscribe(List.of(topic));
        return consumer;
    }

    /** Polls the members until something holds. Answers the values that came meanwhile. */
    @SafeVarargs
    private List<String> until(Predicate<List<String>> holds, KafkaConsumer<byte[], byte[]>... members) {
        List<String> values = new ArrayList<>();
        long deadline = System.nanoTime() + Cluster.WAIT.toNanos();
        while (!holds.test(values)) {
            check(System.nanoTime() < deadline, "time is over after " + values);
            for (KafkaConsumer<byte[], byte[]> member : members) {
                member.poll(Duration.ofMillis(50)).forEach(record -> values.add(new String(record.value(), UTF_8)));
            }
        }
        return values;
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
