package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func acks(ctx context.Context, prefix string) {
	topic := prefix + "-acks"
	create(ctx, topic, 1, nil)
	var expected []string
	for _, level := range []kgo.Acks{kgo.NoAck(), kgo.LeaderAck(), kgo.AllISRAcks()} {
		c := producer(kgo.RequiredAcks(level), kgo.DisableIdempotentWrite())
		values, texted := numbers(200, fmt.Sprint(" at ", level))
		sent := send(ctx, c, topic, values...)
		if level != kgo.NoAck() {
			equal(sent[0].Offset, int64(len(expected)))
		}
		c.Close()
		expected = append(expected, texted...)
		// Nothing answers acks=0: reading is the only way to know that the records are there.
		equal(texts(read(ctx, topic, len(expected), 1)), expected)
	}
}

func codecs(ctx context.Context, prefix string) {
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		topic := prefix + "-codec-" + name
		create(ctx, topic, 1, nil)
		c := producer(kgo.ProducerBatchCompression(codec))
		values, expected := numbers(500, strings.Repeat(" all work and no play", 20))
		send(ctx, c, topic, values...)
		c.Close()
		equal(texts(read(ctx, topic, 500, 1)), expected)
	}
}

func keys(ctx context.Context, prefix string) {
	topic := prefix + "-keys"
	create(ctx, topic, 4, nil)
	c := client()
	defer c.Close()
	var records []*kgo.Record
	for number := range 400 {
		value, key := strconv.Itoa(number), fmt.Sprint("key-", number%20)
		records = append(records, &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(value)})
	}
	must(c.ProduceSync(ctx, records...).FirstErr())
	homes, last, used := map[string]int32{}, map[string]int{}, map[int32]bool{}
	for _, record := range read(ctx, topic, 400, 4) {
		key := string(record.Key)
		if home, known := homes[key]; known {
			equal(record.Partition, home)
		}
		homes[key], used[record.Partition] = record.Partition, true
		number, err := strconv.Atoi(string(record.Value))
		must(err)
		if before, known := last[key]; known && before >= number {
			panic(fmt.Sprintf("%s: %d came after %d", key, number, before))
		}
		last[key] = number
	}
	equal(len(homes), 20)
	equal(len(used), 4)
}

func keyless(ctx context.Context, prefix string) {
	topic := prefix + "-keyless"
	create(ctx, topic, 4, nil)
	c := client(kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	defer c.Close()
	values, expected := numbers(400, "")
	send(ctx, c, topic, values...)
	used := map[int32]int{}
	records := read(ctx, topic, 400, 4)
	for _, record := range records {
		used[record.Partition]++
	}
	equal(used, map[int32]int{0: 100, 1: 100, 2: 100, 3: 100})
	seen := texts(records)
	slices.Sort(seen)
	slices.Sort(expected)
	equal(seen, expected)
}

func headers(ctx context.Context, prefix string) {
	topic := prefix + "-headers"
	create(ctx, topic, 1, nil)
	c := producer()
	defer c.Close()
	sent := []kgo.RecordHeader{
		{Key: "trace", Value: []byte{0, 255}}, {Key: "empty", Value: []byte{}}, {Key: "null"},
		{Key: "trace", Value: []byte("again")}, {Key: "größe", Value: []byte("ü")},
	}
	must(c.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("with"), Headers: sent}).FirstErr())
	send(ctx, c, topic, []byte("without"))
	records := read(ctx, topic, 2, 1)
	equal(records[0].Headers, sent)
	equal(len(records[1].Headers), 0)
}

func timestamps(ctx context.Context, prefix string) {
	topic := prefix + "-timestamps"
	create(ctx, topic, 1, nil)
	create(ctx, topic+"-log", 1, map[string]string{"message.timestamp.type": "LogAppendTime"})
	c := producer()
	defer c.Close()
	given := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	before := time.Now().Truncate(time.Millisecond)
	for _, to := range []string{topic, topic + "-log"} {
		must(c.ProduceSync(ctx, &kgo.Record{Topic: to, Value: []byte("value"), Timestamp: given}).FirstErr())
	}
	equal(read(ctx, topic, 1, 1)[0].Timestamp.UnixMilli(), given.UnixMilli())
	logged := read(ctx, topic+"-log", 1, 1)[0]
	equal(logged.Attrs.TimestampType(), int8(1))
	if logged.Timestamp.Before(before) || logged.Timestamp.After(time.Now()) {
		panic(fmt.Sprint(logged.Timestamp, " is not the time of the append"))
	}
}

func tombstones(ctx context.Context, prefix string) {
	topic := prefix + "-tombstones"
	create(ctx, topic, 1, nil)
	c := producer()
	defer c.Close()
	for _, value := range [][]byte{[]byte("value"), nil, {}} {
		must(c.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte("key"), Value: value}).FirstErr())
	}
	records := read(ctx, topic, 3, 1)
	equal(texts(records), []string{"value", "", ""})
	equal([]bool{records[1].Value == nil, records[2].Value == nil}, []bool{true, false})
}

func large(ctx context.Context, prefix string) {
	topic := prefix + "-large"
	create(ctx, topic, 1, nil)
	value := make([]byte, 900*1024)
	for index := range value {
		value[index] = byte(index * 7 % 251)
	}
	c := producer(kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer c.Close()
	for _, one := range [][]byte{[]byte("small"), value, []byte("small")} {
		send(ctx, c, topic, one)
	}
	for _, bound := range []int32{100, 1 << 20} {
		records := read(ctx, topic, 3, 1, kgo.FetchMaxPartitionBytes(bound))
		if !bytes.Equal(records[1].Value, value) {
			panic("the large record changed")
		}
	}
}

func positions(ctx context.Context, prefix string) {
	topic := prefix + "-positions"
	create(ctx, topic, 1, nil)
	c := producer()
	defer c.Close()
	start := time.Now().Add(-100 * time.Second).Truncate(time.Millisecond)
	var records []*kgo.Record
	for number := range 100 {
		stamp := start.Add(time.Duration(number) * time.Second)
		records = append(records, &kgo.Record{Topic: topic, Value: []byte(strconv.Itoa(number)), Timestamp: stamp})
	}
	must(c.ProduceSync(ctx, records...).FirstErr())
	manager := kadm.NewClient(c)
	at := func(listed kadm.ListedOffsets, err error) int64 {
		must(err)
		must(listed.Error())
		return listed[topic][0].Offset
	}
	equal(at(manager.ListStartOffsets(ctx, topic)), int64(0))
	equal(at(manager.ListEndOffsets(ctx, topic)), int64(100))
	equal(at(manager.ListMaxTimestampOffsets(ctx, topic)), int64(99))
	middle := start.Add(41_500 * time.Millisecond)
	equal(at(manager.ListOffsetsAfterMilli(ctx, middle.UnixMilli(), topic)), int64(42))
	equal(at(manager.ListOffsetsAfterMilli(ctx, start.Add(time.Hour).UnixMilli(), topic)), int64(100))
	for offset, count := range map[kgo.Offset]int{
		kgo.NewOffset().At(42): 58, kgo.NewOffset().AtEnd().Relative(-1): 1,
		kgo.NewOffset().AfterMilli(middle.UnixMilli()): 58,
	} {
		values := texts(readFrom(ctx, topic, count, map[int32]kgo.Offset{0: offset}))
		equal(values[0], strconv.Itoa(100-count))
	}
}

func metadata(ctx context.Context, prefix string) {
	topic := prefix + "-metadata"
	create(ctx, topic, 3, nil)
	c := client()
	defer c.Close()
	must(c.Ping(ctx))
	seen, err := kadm.NewClient(c).Metadata(ctx, topic)
	must(err)
	equal(len(seen.Brokers), 1)
	equal(fmt.Sprintf("%s:%d", seen.Brokers[0].Host, seen.Brokers[0].Port), address)
	equal(seen.Controller, seen.Brokers[0].NodeID)
	equal(seen.Cluster != "", true)
	equal(seen.Topics[topic].ID != kadm.TopicID{}, true)
	equal(len(seen.Topics[topic].Partitions), 3)
	for _, partition := range seen.Topics[topic].Partitions {
		must(partition.Err)
		equal(partition.Leader, seen.Controller)
	}
	listed, err := kadm.NewClient(c).ListTopics(ctx)
	must(err)
	equal(listed.Has(topic), true)
}

func administration(ctx context.Context, prefix string) {
	topic := prefix + "-admin"
	create(ctx, topic, 2, map[string]string{"retention.ms": "3600000"})
	c := client()
	defer c.Close()
	manager := kadm.NewClient(c)
	_, err := manager.CreateTopic(ctx, 1, 1, nil, topic)
	equal(errors.Is(err, kerr.TopicAlreadyExists), true)
	described, err := manager.DescribeTopicConfigs(ctx, topic)
	must(err)
	configs := map[string]string{}
	for _, config := range described[0].Configs {
		configs[config.Key] = config.MaybeValue()
	}
	equal([]string{configs["retention.ms"], configs["cleanup.policy"]}, []string{"3600000", "delete"})
	grown, err := manager.UpdatePartitions(ctx, 5, topic)
	must(err)
	must(grown.Error())
	listed, err := manager.ListTopics(ctx, topic)
	must(err)
	equal(len(listed[topic].Partitions), 5)
	deleted, err := manager.DeleteTopic(ctx, topic)
	must(err)
	must(deleted.Err)
	for listed.Has(topic) {
		must(ctx.Err())
		listed, err = manager.ListTopics(ctx)
		must(err)
	}
}

func idempotence(ctx context.Context, prefix string) {
	topic := prefix + "-idempotence"
	create(ctx, topic, 1, nil)
	c := producer(kgo.ProducerBatchMaxBytes(1024))
	defer c.Close()
	id, _, err := c.ProducerID(ctx)
	must(err)
	equal(id >= 0, true)
	values, expected := numbers(3000, "")
	for index, record := range send(ctx, c, topic, values...) {
		equal(record.Offset, int64(index))
		equal(record.ProducerID, id)
	}
	equal(texts(read(ctx, topic, 3000, 1)), expected)
}

// unknownTopic is for a broker that does not create topics by itself.
func unknownTopic(ctx context.Context, prefix string) {
	c := client(kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(1))
	defer c.Close()
	err := c.ProduceSync(ctx, &kgo.Record{Topic: prefix + "-unknown", Value: []byte("value")}).FirstErr()
	equal(errors.Is(err, kerr.UnknownTopicOrPartition), true)
}

func autoCreation(ctx context.Context, prefix string) {
	topic := prefix + "-auto"
	c := client(kgo.AllowAutoTopicCreation())
	defer c.Close()
	send(ctx, c, topic, []byte("first"))
	listed, err := kadm.NewClient(c).ListTopics(ctx, topic)
	must(err)
	equal(len(listed[topic].Partitions), 4)
	// The client's own word counts too: without it an unknown topic stays unknown.
	strict := client(kgo.UnknownTopicRetries(1))
	defer strict.Close()
	err = strict.ProduceSync(ctx, &kgo.Record{Topic: topic + "-not", Value: []byte("value")}).FirstErr()
	equal(errors.Is(err, kerr.UnknownTopicOrPartition), true)
}

func tooLarge(ctx context.Context, prefix string) {
	topic := prefix + "-too-large"
	create(ctx, topic, 1, map[string]string{"max.message.bytes": "10000"})
	c := producer(kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer c.Close()
	err := c.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: make([]byte, 20_000)}).FirstErr()
	equal(errors.Is(err, kerr.MessageTooLarge), true)
	equal(send(ctx, c, topic, make([]byte, 5_000))[0].Offset, int64(0))
}
