// What a program on kafkajs can ask of a broker: one function a subject.
//
// Usage: node client.js SUBJECT ADDRESS PREFIX
// Every topic that is made starts with PREFIX; the exit code is 0 when the subject holds.
// The consumers of kafkajs need a consumer group, so reading elsewhere uses the request layer below them.

const assert = require('node:assert/strict')
const {
  CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, PartitionAssigners, Partitioners, logLevel,
} = require('kafkajs')
const Cluster = require('kafkajs/src/cluster')
const { createLogger } = require('kafkajs/src/loggers')
const LoggerConsole = require('kafkajs/src/loggers/console')
const socketFactory = require('kafkajs/src/network/socketFactory')
const SnappyCodec = require('kafkajs-snappy')

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec

const [, , subject, address, prefix] = process.argv
const retry = { retries: 5, initialRetryTime: 50 }
const kafka = new Kafka({ clientId: 'client-tests', brokers: [address], logLevel: logLevel.NOTHING, retry })

async function using(client, work) {
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.disconnect()
  }
}

const withProducer = (work, settings = {}) =>
  using(kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...settings }), work)

const withAdmin = work => using(kafka.admin(), work)

const create = (topic, numPartitions = 1, configEntries = []) =>
  withAdmin(admin => admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }],
  }))

const numbers = count => Array.from({ length: count }, (_, number) => String(number))

const toPartition0 = values => values.map(value => ({ value, partition: 0 }))

// Records of one partition from `from` to the end that it has now.
async function read(topic, { partition = 0, from = '0', maxBytes = 1048576 } = {}) {
  const cluster = new Cluster({
    logger: createLogger({ level: logLevel.NOTHING, logCreator: LoggerConsole }),
    socketFactory: socketFactory(),
    brokers: [address],
    clientId: 'client-tests-reader',
    connectionTimeout: 1000,
    enforceRequestTimeout: true,
    metadataMaxAge: 300000,
    isolationLevel: 1,
    retry,
  })
  return using(cluster, async () => {
    await cluster.addTargetTopic(topic)
    const { leader } = cluster.findTopicPartitionMetadata(topic)[partition]
    const broker = await cluster.findBroker({ nodeId: String(leader) })
    const records = []
    for (let next = BigInt(from); ;) {
      const partitions = [{ partition, fetchOffset: String(next), maxBytes }]
      const { responses } = await broker.fetch({ maxWaitTime: 50, isolationLevel: 1, topics: [{ topic, partitions }] })
      const [answer] = responses[0].partitions
      // An answer starts with the whole batch that holds the offset.
      const fresh = answer.messages.filter(record => BigInt(record.offset) >= next)
      records.push(...fresh)
      if (fresh.length > 0) next = BigInt(fresh.at(-1).offset) + 1n
      if (next >= BigInt(answer.highWatermark)) return records
      assert.ok(fresh.length > 0, `nothing at ${next} before the end at ${answer.highWatermark}`)
    }
  })
}

const valuesOf = records => records.map(record => record.value && record.value.toString())

// A member of the group PREFIX: what it reads, and which partitions it has.
async function member(topic) {
  const consumer = kafka.consumer({ groupId: prefix, heartbeatInterval: 200, sessionTimeout: 10_000 })
  const made = { consumer, values: [], partitions: [] }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    made.partitions = payload.memberAssignment[topic] ?? []
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => { made.values.push(message.value.toString()) } })
  return made
}

// The assigner of kafkajs under the name by which the other clients know theirs. What it writes and reads
// is what they write and read.
const roundrobin = context => ({ ...PartitionAssigners.roundRobin(context), name: 'roundrobin' })

// One of the group TOPIC until SIGTERM; says what it reads, and then that this is committed.
async function stay(topic) {
  const consumer = kafka.consumer({
    groupId: topic,
    partitionAssigners: [roundrobin],
    sessionTimeout: 2000,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 200,
    // It says that it is alive between two fetches only.
    maxWaitTimeInMs: 100,
  })
  // It leaves, so that the others need not find out.
  process.on('SIGTERM', () => consumer.disconnect().then(() => process.exit(0)))
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      console.log(`read ${partition} ${message.offset}`)
      const offset = String(BigInt(message.offset) + 1n)
      await consumer.commitOffsets([{ topic, partition, offset }])
      console.log(`committed ${partition} ${offset}`)
    },
  })
}

async function until(holds) {
  const deadline = Date.now() + 20_000
  while (!holds()) {
    assert.ok(Date.now() < deadline, 'time is over')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const subjects = {
  async acks() {
    const topic = `${prefix}-acks`
    await create(topic)
    const expected = []
    for (const acks of [1, -1, 0]) {
      const values = numbers(200).map(number => `${acks} ${number}`)
      await withProducer(async producer => {
        const answers = await producer.send({ topic, acks, messages: toPartition0(values) })
        if (acks !== 0) assert.equal(answers[0].baseOffset, String(expected.length))
      })
      expected.push(...values)
    }
    // Nothing answers acks=0: reading is the only way to know that the records are there.
    const deadline = Date.now() + 20_000
    let records = await read(topic)
    while (records.length < expected.length && Date.now() < deadline) records = await read(topic)
    assert.deepEqual(valuesOf(records), expected)
  },

  async codecs() {
    for (const codec of ['None', 'GZIP', 'Snappy']) {
      const topic = `${prefix}-codec-${codec}`
      await create(topic)
      const values = numbers(500).map(number => `${number} ${'all work and no play '.repeat(20)}`)
      await withProducer(producer =>
        producer.send({ topic, compression: CompressionTypes[codec], messages: toPartition0(values) }))
      assert.deepEqual(valuesOf(await read(topic)), values)
    }
  },

  async keys() {
    const topic = `${prefix}-keys`
    await create(topic, 4)
    await withProducer(producer =>
      producer.send({ topic, messages: numbers(400).map(value => ({ key: `key-${value % 20}`, value })) }))
    const homes = new Map()
    for (const partition of [0, 1, 2, 3]) {
      const last = new Map()
      for (const { key, value } of await read(topic, { partition })) {
        assert.equal(homes.get(String(key)) ?? partition, partition)
        homes.set(String(key), partition)
        assert.ok((last.get(String(key)) ?? -1) < Number(value), `order of ${key}`)
        last.set(String(key), Number(value))
      }
    }
    assert.equal(homes.size, 20)
    assert.equal(new Set(homes.values()).size, 4)
  },

  async keyless() {
    const topic = `${prefix}-keyless`
    await create(topic, 4)
    await withProducer(producer => producer.send({ topic, messages: numbers(400).map(value => ({ value })) }))
    const seen = []
    for (const partition of [0, 1, 2, 3]) {
      const values = valuesOf(await read(topic, { partition }))
      assert.ok(values.length > 0, `partition ${partition} got nothing`)
      seen.push(...values)
    }
    assert.deepEqual(seen.map(Number).sort((a, b) => a - b), numbers(400).map(Number))
  },

  async headers() {
    const topic = `${prefix}-headers`
    await create(topic)
    const headers = { trace: Buffer.from([0, 255]), empty: '', 'größe': 'ü', list: ['one', 'two'] }
    await withProducer(producer =>
      producer.send({ topic, messages: [{ value: 'with', headers }, { value: 'without' }] }))
    const [first, second] = await read(topic)
    assert.deepEqual(first.headers.trace, Buffer.from([0, 255]))
    assert.deepEqual(
      [first.headers.empty, first.headers['größe'], ...first.headers.list].map(String), ['', 'ü', 'one', 'two'])
    assert.deepEqual(second.headers, {})
  },

  async timestamps() {
    const topic = `${prefix}-timestamps`
    await create(topic)
    await create(`${topic}-log`, 1, [{ name: 'message.timestamp.type', value: 'LogAppendTime' }])
    const given = Date.now() - 3_600_000
    const before = Date.now()
    await withProducer(async producer => {
      for (const to of [topic, `${topic}-log`]) {
        await producer.send({ topic: to, messages: [{ value: 'value', timestamp: String(given) }] })
      }
    })
    assert.equal((await read(topic))[0].timestamp, String(given))
    const [{ batchContext }] = await read(`${topic}-log`)
    assert.equal(batchContext.timestampType, 1)
    const stamp = Number(batchContext.maxTimestamp)
    assert.ok(before <= stamp && stamp <= Date.now(), `${stamp} is not the time of the append`)
  },

  async tombstones() {
    const topic = `${prefix}-tombstones`
    await create(topic)
    const messages = ['value', null, ''].map(value => ({ key: 'key', value }))
    await withProducer(producer => producer.send({ topic, messages }))
    assert.deepEqual(valuesOf(await read(topic)), ['value', null, ''])
  },

  async large() {
    const topic = `${prefix}-large`
    await create(topic)
    const value = Buffer.from(Array.from({ length: 900 * 1024 }, (_, number) => (number * 7) % 251))
    await withProducer(async producer => {
      for (const one of ['small', value, 'small']) await producer.send({ topic, messages: [{ value: one }] })
    })
    for (const maxBytes of [1048576, 100]) {
      const values = (await read(topic, { maxBytes })).map(record => record.value)
      assert.equal(values.length, 3)
      assert.ok(value.equals(values[1]), 'the large record changed')
    }
  },

  async positions() {
    const topic = `${prefix}-positions`
    await create(topic)
    const start = Date.now() - 100_000
    await withProducer(producer => producer.send({
      topic,
      messages: numbers(100).map(value => ({ value, timestamp: String(start + value * 1000) })),
    }))
    await withAdmin(async admin => {
      const [{ low, high }] = await admin.fetchTopicOffsets(topic)
      assert.deepEqual([low, high], ['0', '100'])
      const [found] = await admin.fetchTopicOffsetsByTimestamp(topic, start + 41_500)
      assert.equal(found.offset, '42')
      const [late] = await admin.fetchTopicOffsetsByTimestamp(topic, start + 99_001)
      assert.equal(late.offset, '100')
    })
    assert.deepEqual(valuesOf(await read(topic, { from: '42' })), numbers(100).slice(42))
    assert.deepEqual(await read(topic, { from: '100' }), [])
    await assert.rejects(read(topic, { from: '5000' }), { type: 'OFFSET_OUT_OF_RANGE' })
  },

  async metadata() {
    const topic = `${prefix}-metadata`
    await create(topic, 3)
    await withAdmin(async admin => {
      assert.ok((await admin.listTopics()).includes(topic))
      const { brokers, controller, clusterId } = await admin.describeCluster()
      assert.deepEqual(brokers.map(({ host, port }) => `${host}:${port}`), [address])
      assert.equal(controller, brokers[0].nodeId)
      assert.ok(clusterId)
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      const leaders = topics[0].partitions.map(({ partitionId, leader }) => [partitionId, leader])
      assert.deepEqual(leaders.sort(), [[0, controller], [1, controller], [2, controller]])
    })
  },

  async administration() {
    const topic = `${prefix}-admin`
    await create(topic, 2, [{ name: 'retention.ms', value: '3600000' }])
    await withAdmin(async admin => {
      assert.equal(await admin.createTopics({ topics: [{ topic }] }), false)
      const { resources } = await admin.describeConfigs({
        includeSynonyms: true,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms', 'cleanup.policy'] }],
      })
      const configs = Object.fromEntries(
        resources[0].configEntries.map(({ configName, configValue }) => [configName, configValue]))
      assert.deepEqual(configs, { 'retention.ms': '3600000', 'cleanup.policy': 'delete' })
      await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      assert.equal(topics[0].partitions.length, 5)
      await admin.deleteTopics({ topics: [topic] })
      const deadline = Date.now() + 20_000
      while ((await admin.listTopics()).includes(topic)) assert.ok(Date.now() < deadline, 'a deleted topic stayed')
    })
  },

  async idempotence() {
    const topic = `${prefix}-idempotence`
    await create(topic)
    await withProducer(async producer => {
      for (let round = 0; round < 10; round += 1) {
        const [{ baseOffset }] = await producer.send({ topic, messages: toPartition0(numbers(100)) })
        assert.equal(baseOffset, String(round * 100))
      }
    }, { idempotent: true, maxInFlightRequests: 1 })
    assert.equal((await read(topic)).length, 1000)
  },

  async groups() {
    const topic = `${prefix}-groups`
    await create(topic, 4)
    const send = messages => withProducer(producer => producer.send({ topic, messages }))
    await send(numbers(40).map(value => ({ value, partition: value % 4 })))
    const first = await member(topic)
    await until(() => first.values.length >= 40)
    assert.deepEqual(first.values.map(Number).sort((a, b) => a - b), numbers(40).map(Number))
    const second = await member(topic)
    await until(() => first.partitions.length === 2 && second.partitions.length === 2)
    assert.deepEqual([...first.partitions, ...second.partitions].sort(), [0, 1, 2, 3])
    await send([{ value: 'after', partition: 0 }, { value: 'after', partition: 1 }])
    await until(() => first.values.length + second.values.length >= 42)
    await second.consumer.disconnect()
    await until(() => first.partitions.length === 4)
    await first.consumer.disconnect()
    await withAdmin(async admin => {
      const [{ partitions }] = await admin.fetchOffsets({ groupId: prefix, topics: [topic] })
      assert.deepEqual(partitions.map(({ offset }) => Number(offset)).sort(), [10, 10, 11, 11])
      const { groups: [described] } = await admin.describeGroups([prefix])
      assert.equal(described.state, 'Empty')
      await admin.resetOffsets({ groupId: prefix, topic, earliest: true })
      await admin.deleteGroups([prefix])
    })
  },

  // For a broker that does not create topics by itself.
  async unknown_topic() {
    const topic = `${prefix}-unknown`
    await withProducer(
      producer => assert.rejects(producer.send({ topic, messages: [{ value: 'value' }] }),
        error => (error.cause ?? error).type === 'UNKNOWN_TOPIC_OR_PARTITION'),
      { retry: { retries: 1, initialRetryTime: 50 } })
    await withAdmin(async admin => assert.ok(!(await admin.listTopics()).includes(topic)))
  },

  member: () => stay(prefix),

  async auto_creation() {
    const topic = `${prefix}-auto`
    await withProducer(producer => producer.send({ topic, messages: [{ value: 'first' }] }))
    await withAdmin(async admin => assert.equal((await admin.fetchTopicOffsets(topic)).length, 4))
  },

  async too_large() {
    const topic = `${prefix}-too-large`
    await create(topic, 1, [{ name: 'max.message.bytes', value: '10000' }])
    await withProducer(async producer => {
      const messages = [{ value: 'x'.repeat(20_000) }]
      await assert.rejects(producer.send({ topic, messages }), { type: 'MESSAGE_TOO_LARGE' })
      const [{ baseOffset }] = await producer.send({ topic, messages: [{ value: 'x'.repeat(5_000) }] })
      assert.equal(baseOffset, '0')
    })
  },
}

subjects[subject]().catch(error => {
  console.error(error)
  process.exitCode = 1
})
