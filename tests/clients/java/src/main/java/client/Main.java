package client;

import java.nio.file.Path;
import java.util.List;

/**
 * What a program on Apache Kafka's own client can ask of a broker.
 *
 * <pre>
 * produce ADDRESS FILE PREFIX CODEC,CODEC,…   every line of FILE to partition 0 of PREFIX-CODEC
 * consume ADDRESS DIRECTORY TOPIC,TOPIC,…     the values of partition 0 to DIRECTORY/TOPIC.out
 * member ADDRESS TOPIC [INSTANCE]             one of the group TOPIC until SIGTERM, static with an INSTANCE
 * SUBJECT ADDRESS PREFIX                      the exit code is 0 when the subject holds
 * </pre>
 */
public final class Main {
    private Main() {}

    public static void main(String[] words) {
        try {
            run(words);
            System.exit(0);
        } catch (Throwable failure) {
            failure.printStackTrace();
            System.exit(1);
        }
    }

    private static void run(String[] words) throws Exception {
        Cluster cluster = new Cluster(words[1]);
        switch (words[0]) {
            case "produce" -> Lines.produce(cluster, Path.of(words[2]), words[3], List.of(words[4].split(",")));
            case "consume" -> Lines.consume(cluster, Path.of(words[2]), List.of(words[3].split(",")));
            case "member" -> Member.stay(cluster, words[2], words.length > 3 ? words[3] : null);
            default -> Subjects.run(words[0], cluster, words[2]);
        }
    }
}
