"""Reads the orders as one of a group: start it several times, and each has its share.

    group.py [ADDRESS [MODE [SECONDS]]]

MODE says when an order counts as done, which is what is left of it when this program dies:

at-least-once (the default)  after it was handled: one that was being handled is handled again
at-most-once                 before it is handled: one that was being handled is lost
auto                         when the next ones are asked for, once a second, by the client itself:
                             one that was being handled is handled again

SECONDS is how long an order takes, 0 by default. With more there is time to kill this program while it
handles one, and to see where it goes on when it is started again.

Ctrl-C leaves the group at once; if this program is killed, the others (or itself, started again) take
over when it has been silent for ten seconds.
"""

import json
import sys
import time

from kafka import KafkaConsumer

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "localhost:9092"
MODE = sys.argv[2] if len(sys.argv) > 2 else "at-least-once"
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 0


def handle(record):
    print(record.partition, record.offset, json.dumps(record.value), flush=True)
    time.sleep(SECONDS)


def main():
    consumer = KafkaConsumer(
        "orders",
        group_id="kitchen",
        bootstrap_servers=BOOTSTRAP,
        auto_offset_reset="earliest",  # where the group begins that has read nothing yet
        enable_auto_commit=MODE == "auto",
        auto_commit_interval_ms=1000,
        session_timeout_ms=10_000,  # who is silent for so long is taken for dead
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
