"""What a program on aiokafka can ask of a broker: one function a subject.

Usage: asynchronous.py SUBJECT ADDRESS PREFIX   exit code 0 when the subject holds
"""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

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


async def main():
    global ADDRESS
    subject, ADDRESS, prefix = sys.argv[1:]
    subjects = {"groups": groups, "idempotence": idempotence}
    await subjects[subject](prefix)


asyncio.run(main())
