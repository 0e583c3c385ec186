"""Sends orders to the topic "orders", once for every level of acks and every compression."""

import json
import sys

from kafka import KafkaProducer

BOOTSTRAP = sys.argv[1] if len(sys.argv) > 1 else "localhost:9092"
CUSTOMERS = ["ada", "blaise", "charles", "dorothy", "edsger", "frances"]
ORDERS_A_ROUND = 120


def new_producer(acks, compression, **settings):
    return KafkaProducer(
        bootstrap_servers=BOOTSTRAP,
        acks=acks,  # 0: do not wait; 1: the broker has it; "all": it is safe
        compression_type=compression,
        retries=5,
        batch_size=1024,  # bytes for one partition that travel together
        linger_ms=5,  # how long a batch may wait for more
        value_serializer=lambda order: json.dumps(order).encode(),
        **settings,
    )


def send_orders(first_number, acks, compression):
    # A key serializer would be asked for the missing keys too, so those orders have a producer without.
    keyed = new_producer(acks, compression, key_serializer=str.encode)
    keyless = new_producer(acks, compression)
    answers = []
    for number in range(first_number, first_number + ORDERS_A_ROUND):
        order = {"number": number, "item": "teapot", "amount": number % 7 + 1}
        if number % 2 == 0:
            # One customer's orders go to one partition and stay in order.
            customer = CUSTOMERS[number // 2 % len(CUSTOMERS)]
            answers.append(keyed.send("orders", key=customer, value=order))
        else:
            # Without a key the producer spreads them over all partitions.
            answers.append(keyless.send("orders", value=order))
    for producer in (keyed, keyless):
        producer.flush()
    for answer in answers:
        answer.get(timeout=10)  # raises what went wrong, if anything did
    for producer in (keyed, keyless):
        producer.close()


def main():
    number = 0
    for acks in (0, 1, "all"):
        for compression in ("gzip", "snappy", "lz4", "zstd"):
            send_orders(number, acks, compression)
            number += ORDERS_A_ROUND
            print(f"sent {ORDERS_A_ROUND} orders with acks={acks} and {compression}")


if __name__ == "__main__":
    main()
