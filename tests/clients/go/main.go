// Command client is what a program on franz-go can ask of a broker: one function a subject.
//
// Usage: client SUBJECT ADDRESS PREFIX
// Every topic that is made starts with PREFIX; the exit code is 0 when the subject holds.
package main

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const wait = 20 * time.Second

var (
	address  string
	subjects = map[string]func(ctx context.Context, prefix string){
		"acks":            acks,
		"codecs":          codecs,
		"keys":            keys,
		"member":          stay,
		"keyless":         keyless,
		"headers":         headers,
		"timestamps":      timestamps,
		"tombstones":      tombstones,
		"large":           large,
		"positions":       positions,
		"metadata":        metadata,
		"administration":  administration,
		"idempotence":     idempotence,
		"groups":          groups,
		"consumer_groups": consumerGroups,
		"unknown_topic":   unknownTopic,
		"auto_creation":   autoCreation,
		"too_large":       tooLarge,
	}
)

func main() {
	if len(os.Args) < 4 || subjects[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: client SUBJECT ADDRESS PREFIX")
		os.Exit(2)
	}
	address = os.Args[2]
	ctx, cancel := context.WithTimeout(context.Background(), 3*wait)
	defer cancel()
	subjects[os.Args[1]](ctx, os.Args[3])
}

// must and equal stop the program: a subject holds as a whole or not at all.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(seen, expected any) {
	if !reflect.DeepEqual(seen, expected) {
		panic(fmt.Sprintf("saw %.300v where %.300v was due", seen, expected))
	}
}

func client(options ...kgo.Opt) *kgo.Client {
	base := []kgo.Opt{
		kgo.SeedBrokers(address),
		kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.FetchMaxWait(100 * time.Millisecond),
	}
	made, err := kgo.NewClient(append(base, options...)...)
	must(err)
	return made
}

// producer sends to the partition that each record names.
func producer(options ...kgo.Opt) *kgo.Client {
	return client(append([]kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner())}, options...)...)
}

func create(ctx context.Context, topic string, partitions int32, configs map[string]string) {
	c := client()
	defer c.Close()
	values := map[string]*string{}
	for name, value := range configs {
		values[name] = &value
	}
	made, err := kadm.NewClient(c).CreateTopic(ctx, partitions, 1, values, topic)
	must(err)
	must(made.Err)
}

func send(ctx context.Context, c *kgo.Client, topic string, values ...[]byte) []*kgo.Record {
	records := make([]*kgo.Record, len(values))
	for index, value := range values {
		records[index] = &kgo.Record{Topic: topic, Value: value}
	}
	must(c.ProduceSync(ctx, records...).FirstErr())
	return records
}

// read returns `count` records from the beginning of every partition.
func read(ctx context.Context, topic string, count int, partitions int32, options ...kgo.Opt) []*kgo.Record {
	offsets := map[int32]kgo.Offset{}
	for index := range partitions {
		offsets[index] = kgo.NewOffset().AtStart()
	}
	return readFrom(ctx, topic, count, offsets, options...)
}

func readFrom(ctx context.Context, topic string, count int, offsets map[int32]kgo.Offset, options ...kgo.Opt) []*kgo.Record {
	assigned := map[string]map[int32]kgo.Offset{topic: offsets}
	c := client(append(options, kgo.ConsumePartitions(assigned))...)
	defer c.Close()
	var records []*kgo.Record
	for len(records) < count {
		fetches := c.PollFetches(ctx)
		must(fetches.Err())
		records = append(records, fetches.Records()...)
	}
	equal(len(records), count)
	return records
}

func texts(records []*kgo.Record) []string {
	values := make([]string, len(records))
	for index, record := range records {
		values[index] = string(record.Value)
	}
	return values
}

// numbers are "0", "1", … as values and as texts, with the same words behind each.
func numbers(count int, words string) (values [][]byte, expected []string) {
	for number := range count {
		text := fmt.Sprint(number, words)
		values, expected = append(values, []byte(text)), append(expected, text)
	}
	return values, expected
}
