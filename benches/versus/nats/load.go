package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// A publisher waits for as long as it takes until there is room, as those of the other brokers do.
var patience = nats.StallWait(2 * time.Minute)

type load struct {
	name                                               string
	streams, producers, bytes, records, window, sample int
	time                                               time.Duration
	rate                                               float64
}

// What a client has measured.
type outcome struct {
	times   []time.Duration
	bytes   int
	records int
}

// Records of all streams, from as many connections as there are producers, until the time is over.
func produce(address string, load load) error {
	var all outcome
	var first error
	var lock sync.Mutex
	var group sync.WaitGroup
	begun := time.Now()
	for producer := range load.producers {
		group.Add(1)
		go func() {
			defer group.Done()
			one, err := produceOne(address, load, producer)
			lock.Lock()
			defer lock.Unlock()
			if err != nil {
				first = err
			}
			all.times = append(all.times, one.times...)
			all.records += one.records
		}()
	}
	group.Wait()
	if first != nil {
		return first
	}
	all.bytes = all.records * load.bytes
	all.tell(time.Since(begun))
	return nil
}

func produceOne(address string, load load, producer int) (outcome, error) {
	var it outcome
	connection, err := nats.Connect(address)
	if err != nil {
		return it, err
	}
	defer connection.Close()
	jetstream, err := connection.JetStream(nats.PublishAsyncMaxPending(load.window))
	if err != nil {
		return it, err
	}
	type waiting struct {
		future nats.PubAckFuture
		due    time.Time
	}
	timed := make(chan waiting, load.records/load.producers/load.sample+1)
	failed := make(chan error, 1)
	go func() {
		defer close(failed)
		for one := range timed {
			select {
			case <-one.future.Ok():
				it.times = append(it.times, time.Since(one.due))
			case err := <-one.future.Err():
				failed <- err
				return
			}
		}
	}()
	payload := make([]byte, load.bytes)
	begun := time.Now()
	for it.records < load.records/load.producers && time.Since(begun) < load.time {
		due := time.Now()
		if load.rate > 0 {
			due = begun.Add(time.Duration(float64(it.records*load.producers) / load.rate * float64(time.Second)))
			time.Sleep(time.Until(due))
		}
		subject := subject(load.name, (it.records+producer)%load.streams)
		if load.window == 1 {
			if _, err := jetstream.Publish(subject, payload, nats.AckWait(time.Minute)); err != nil {
				return it, err
			}
			it.times = append(it.times, time.Since(due))
			it.records++
			continue
		}
		future, err := jetstream.PublishAsync(subject, payload, patience)
		if err != nil {
			return it, err
		}
		if it.records%load.sample == 0 {
			timed <- waiting{future, due}
		}
		it.records++
	}
	close(timed)
	<-jetstream.PublishAsyncComplete()
	return it, <-failed
}

// Reads streams from their beginning, so many records of all of them.
func consume(address, name string, streams, records int) error {
	connection, err := nats.Connect(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	messages, err := subscribe(connection, name, streams)
	if err != nil {
		return err
	}
	var it outcome
	var begun time.Time
	for it.records < records {
		select {
		case message := <-messages:
			if it.records == 0 {
				begun = time.Now()
			}
			it.bytes += len(message.Data)
			it.records++
		case <-time.After(20 * time.Second):
			return fmt.Errorf("nothing more comes after %d records", it.records)
		}
	}
	it.tell(time.Since(begun))
	return nil
}

// The time from sending until a consumer has it.
func tail(address string, load load) error {
	connection, err := nats.Connect(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	messages, err := subscribe(connection, load.name, load.streams)
	if err != nil {
		return err
	}
	sender, err := nats.Connect(address)
	if err != nil {
		return err
	}
	defer sender.Close()
	jetstream, err := sender.JetStream()
	if err != nil {
		return err
	}
	count := int(load.time.Seconds() * load.rate)
	begun := time.Now()
	failed := make(chan error, 1)
	go func() {
		payload := make([]byte, load.bytes)
		for at := range count {
			due := time.Duration(float64(at) / load.rate * float64(time.Second))
			time.Sleep(time.Until(begun.Add(due)))
			binary.BigEndian.PutUint64(payload, uint64(due))
			if _, err := jetstream.PublishAsync(subject(load.name, at%load.streams), payload, patience); err != nil {
				failed <- err
				return
			}
		}
	}()
	it := outcome{records: count, bytes: count * load.bytes}
	for range count {
		select {
		case message := <-messages:
			due := time.Duration(binary.BigEndian.Uint64(message.Data))
			it.times = append(it.times, time.Since(begun)-due)
		case err := <-failed:
			return err
		case <-time.After(20 * time.Second):
			return fmt.Errorf("nothing more comes")
		}
	}
	it.tell(load.time)
	return nil
}

func subscribe(connection *nats.Conn, name string, streams int) (chan *nats.Msg, error) {
	jetstream, err := connection.JetStream()
	if err != nil {
		return nil, err
	}
	messages := make(chan *nats.Msg, 1<<16)
	for stream := range streams {
		it := subject(name, stream)
		_, err := jetstream.ChanSubscribe(it, messages, nats.OrderedConsumer(), nats.DeliverAll(), nats.BindStream(it))
		if err != nil {
			return nil, err
		}
	}
	return messages, nil
}

func (it outcome) tell(took time.Duration) {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, time := range it.times {
		fmt.Fprintln(out, time.Nanoseconds())
	}
	fmt.Fprintln(out, "outcome", took.Nanoseconds(), it.bytes, it.records)
}
