"""Reads the orders as one of a group: start it several times, and each has its share.

    group.py [ADDRESS [MODE]]

MODE says when an order counts as done, which is what is left of it when this program dies:

at-least-once (the default)  after it was handled: one that was being handled is handled again
at-most-once                 before it is handled: one that was being handled is lost
auto                         every second, as of what was handed out: the client does it by itself

Ctrl-C leaves the group at once; the others take over when this program has been silent for too long
if it is killed.
"""

import json
import sys

from kafka import KafkaConsumer

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "localhost:9092"
MODE = sys.argv[2] if len(sys.argv) > 2 else "at-least-once"


def handle(record):
    print(record.partition, record.offset, json.dumps(record.value), flush=True)


def main():
    consumer = KafkaConsumer(
        "orders",
        group_id="kitchen",
        bootstrap_servers=BOOTSTRAP,
        auto_offset_reset="earliest",  # where the group begins that has read nothing yet
        enable_auto_commit=MODE == "auto",
        auto_commit_interval_ms=1000,
        value_deserializer=json.loads,
    )
    try:
        while True:
            batch = consumer.poll(timeout_ms=500)
            if MODE == "at-most-once" and batch:
                consumer.commit()
            for records in batch.values():
                for record in records:
                    handle(record)
            if MODE == "at-least-once" and batch:
                consumer.commit()
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
