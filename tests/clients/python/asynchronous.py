"""What a program on aiokafka can ask of a broker: one function a subject.

Usage: asynchronous.py SUBJECT ADDRESS PREFIX   exit code 0 when the subject holds
"""

import asyncio
import contextlib
import signal
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

WAIT_S = 20.0
ADDRESS = ""


async def create(topic, partitions):
    admin = AIOKafkaAdminClient(bootstrap_servers=ADDRESS)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1)])
    finally:
        await admin.close()


async def send_all(topic, values, **settings):
    async with AIOKafkaProducer(bootstrap_servers=ADDRESS, **settings) as producer:
        return [await producer.send_and_wait(topic, value) for value in values]


async def until(what, *members):
    """Reads with all members until something holds, and answers the values that came meanwhile."""
    values = []
    deadline = asyncio.get_running_loop().time() + WAIT_S
    while not what(values):
        assert asyncio.get_running_loop().time() < deadline, f"time is over after {values}"
        for member in members:
            for records in (await member.getmany(timeout_ms=50)).values():
                values.extend(record.value for record in records)
    return values


def equal(seen, expected):
    assert seen == expected, f"{seen} instead of {expected}"


async def idempotence(prefix):
    topic = prefix + "-idempotence"
    await create(topic, 1)
    values = [b"%d" % number for number in range(300)]
    answers = await send_all(topic, values, enable_idempotence=True)
    equal([answer.offset for answer in answers], list(range(300)))


async def groups(prefix):
    topic = prefix + "-groups"
    await create(topic, 4)
    values = [b"%d" % number for number in range(40)]
    await send_all(topic, values)

    async def member(**settings):
        settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, **settings}
        client = AIOKafkaConsumer(topic, bootstrap_servers=ADDRESS, group_id=prefix, **settings)
        await client.start()
        return client

    first = await member()
    equal(sorted(await until(lambda read: len(read) >= 40, first)), sorted(values))
    await first.commit()
    second = await member()
    await until(lambda _: len(first.assignment()) == 2 and len(second.assignment()) == 2, first, second)
    equal(len(first.assignment() | second.assignment()), 4)
    await send_all(topic, [b"after"])
    equal(await until(lambda read: read, first, second), [b"after"])
    await first.commit()
    await second.commit()
    await second.stop()
    await until(lambda _: len(first.assignment()) == 4, first)
    await first.stop()
    third = await member(enable_auto_commit=True, auto_commit_interval_ms=50)
    await send_all(topic, [b"next"])
    equal(await until(lambda read: read, third), [b"next"])
    await third.stop()


async def member(topic, instance=None):
    """One of a group until SIGTERM; says what it reads, and then that this is committed."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    client = AIOKafkaConsumer(
        topic,
        group_id=topic,
        bootstrap_servers=ADDRESS,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        group_instance_id=instance,
        session_timeout_ms=10_000 if instance else 2000,
        heartbeat_interval_ms=200,
        max_poll_interval_ms=10_000,
    )
    await client.start()
    # It leaves at the end of the block, so that the others need not find out.
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            batch = await client.getmany(timeout_ms=200)
            if not batch:
                continue
            for record in (record for records in batch.values() for record in records):
                print("read", record.partition, record.offset, flush=True)
            ends = {part: records[-1].offset + 1 for part, records in batch.items()}
            try:
                await client.commit(ends)
            except KafkaError:
                continue
            for part, end in ends.items():
                print("committed", part.partition, end, flush=True)
    await client.stop()


async def main():
    global ADDRESS
    subject, ADDRESS, *arguments = sys.argv[1:]
    subjects = {"groups": groups, "idempotence": idempotence, "member": member}
    await subjects[subject](*arguments)


asyncio.run(main())
