package client;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** Lines of a file to partition 0 of a topic and back, byte for byte. */
final class Lines {
    private Lines() {}

    static void produce(Cluster cluster, Path file, String prefix, List<String> codecs) throws Exception {
        List<byte[]> lines = split(Files.readAllBytes(file));
        for (String codec : codecs) {
            Map<String, Object> settings = Map.of("compression.type", codec, "acks", "all", "linger.ms", 20);
            cluster.send(settings, prefix + "-" + codec, lines);
        }
    }

    static void consume(Cluster cluster, Path directory, List<String> topics) throws IOException {
        List<TopicPartition> assigned = topics.stream().map(topic -> new TopicPartition(topic, 0)).toList();
        Map<String, List<byte[]>> values = new HashMap<>();
        topics.forEach(topic -> values.put(topic, new ArrayList<>()));
        for (ConsumerRecord<byte[], byte[]> record : cluster.read(Map.of(), assigned)) {
            values.get(record.topic()).add(record.value());
        }
        for (String topic : topics) {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(directory.resolve(topic + ".out")))) {
                for (byte[] value : values.get(topic)) {
                    out.write(value);
                    out.write('\n');
                }
            }
        }
    }

    private static List<byte[]> split(byte[] text) {
        List<byte[]> lines = new ArrayList<>();
        int start = 0;
        for (int at = 0; at < text.length; at++) {
            if (text[at] == '\n') {
                lines.add(Arrays.copyOfRange(text, start, at));
                start = at + 1;
            }
        }
        if (start < text.length) {
            lines.add(Arrays.copyOfRange(text, start, text.length));
        }
        return lines;
    }
}
