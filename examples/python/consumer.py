"""Prints every order of the topic "orders" from the beginning: partition, offset, key and value."""

import json
import sys

from kafka import KafkaConsumer

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "localhost:9092"


def main():
    consumer = KafkaConsumer(
        "orders",
        bootstrap_servers=BOOTSTRAP,
        auto_offset_reset="earliest",
        consumer_timeout_ms=3000,  # stop when nothing new came for so long
        key_deserializer=lambda key: key.decode() if key is not None else "-",
        value_deserializer=json.loads,
    )
    count = 0
    for record in consumer:
        print(record.partition, record.offset, record.key, json.dumps(record.value))
        count += 1
    consumer.close()
    print(f"read {count} orders")


if __name__ == "__main__":
    main()
