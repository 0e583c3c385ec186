package client;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/** One of a group until SIGTERM; says what it reads, and then that this is committed. */
final class Member {
    private Member() {}

    static void stay(Cluster cluster, String topic, String instance) {
        Map<String, Object> settings = new HashMap<>(Map.of(
                "group.id", topic, "auto.offset.reset", "earliest", "enable.auto.commit", false,
                "partition.assignment.strategy", RoundRobinAssignor.class.getName(),
                "session.timeout.ms", 2000, "heartbeat.interval.ms", 200, "max.poll.interval.ms", 10_000));
        if (instance != null) {
            settings.put("group.instance.id", instance);
            settings.put("session.timeout.ms", 10_000);
        }
        CountDownLatch gone = new CountDownLatch(1);
        try (KafkaConsumer<byte[], byte[]> consumer = cluster.consumer(settings)) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> leave(consumer, gone)));
            consumer.subscribe(List.of(topic));
            while (true) {
                read(consumer);
            }
        } catch (WakeupException asked) {
            // It has left, so that the others need not find out.
            gone.countDown();
        }
    }

    /** The signal's thread: the consumer is left to its own one, and the end is a good one after that. */
    private static void leave(KafkaConsumer<byte[], byte[]> consumer, CountDownLatch gone) {
        consumer.wakeup();
        try {
            gone.await();
            Runtime.getRuntime().halt(0);
        } catch (InterruptedException impossible) {
            Thread.currentThread().interrupt();
        }
    }

    private static void read(KafkaConsumer<byte[], byte[]> consumer) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
        Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            System.out.println("read " + record.partition() + " " + record.offset());
            TopicPartition partition = new TopicPartition(record.topic(), record.partition());
            ends.put(partition, new OffsetAndMetadata(record.offset() + 1));
        }
        try {
            consumer.commitSync(ends);
        } catch (WakeupException asked) {
            throw asked;
        } catch (KafkaException refused) {
            return;
        }
        ends.forEach((partition, end) -> System.out.println("committed " + partition.partition() + " " + end.offset()));
    }
}
