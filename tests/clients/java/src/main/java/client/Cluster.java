package client;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The broker under test: makes clients of it, sends and reads. */
record Cluster(String address) {
    static final Duration WAIT = Duration.ofSeconds(20);

    KafkaProducer<byte[], byte[]> producer(Map<String, ?> settings) {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", address, "max.block.ms", 5000));
        all.putAll(settings);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Without a group: partitions are assigned and positions sought by hand. */
    KafkaConsumer<byte[], byte[]> consumer(Map<String, ?> settings) {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", address, "fetch.max.wait.ms", 100));
        all.putAll(settings);
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", address));
    }

    void create(String topic, int partitions, Map<String, String> configs) throws Exception {
        try (Admin admin = admin()) {
            NewTopic wanted = new NewTopic(topic, partitions, (short) 1).configs(configs);
            admin.createTopics(List.of(wanted)).all().get(WAIT.toSeconds(), TimeUnit.SECONDS);
        }
    }

    /** Sends to partition 0 and waits for every answer. */
    List<RecordMetadata> send(Map<String, ?> settings, String topic, List<byte[]> values) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(settings)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (byte[] value : values) {
                sent.add(producer.send(new ProducerRecord<>(topic, 0, null, value)));
            }
            List<RecordMetadata> answers = new ArrayList<>();
            for (Future<RecordMetadata> answer : sent) {
                answers.add(answer.get(WAIT.toSeconds(), TimeUnit.SECONDS));
            }
            return answers;
        }
    }

    static List<TopicPartition> partitions(String topic, int count) {
        return IntStream.range(0, count).mapToObj(index -> new TopicPartition(topic, index)).toList();
    }

    /** Everything from the beginning to the end that the partitions have now. */
    List<ConsumerRecord<byte[], byte[]>> read(Map<String, ?> settings, List<TopicPartition> assigned) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(settings)) {
            consumer.assign(assigned);
            consumer.seekToBeginning(assigned);
            Map<TopicPartition, Long> ends = consumer.endOffsets(assigned);
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            long deadline = System.nanoTime() + 3 * WAIT.toNanos();
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException(records.size() + " records, and the ends " + ends + " not reached");
                }
                consumer.poll(Duration.ofMillis(500)).forEach(records::add);
            }
            return records;
        }
    }

    List<ConsumerRecord<byte[], byte[]>> read(String topic) {
        return read(Map.of(), partitions(topic, 1));
    }
}
