package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// member is one consumer of a group, with what it reads and has.
type member struct {
	client *kgo.Client
	mutex  sync.Mutex
	has    map[int32]bool
}

func join(ctx context.Context, group, topic string, balancer kgo.GroupBalancer) *member {
	m := &member{has: map[int32]bool{}}
	change := func(has bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, changed map[string][]int32) {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			for _, partition := range changed[topic] {
				m.has[partition] = has
			}
		}
	}
	m.client = client(
		kgo.WithContext(ctx),
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.Balancers(balancer), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(200*time.Millisecond),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)),
		kgo.OnPartitionsLost(change(false)),
	)
	return m
}

func (m *member) count() (count int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, has := range m.has {
		if has {
			count++
		}
	}
	return count
}

// until polls the members until something holds, and returns what came meanwhile.
func until(ctx context.Context, holds func(values []string) bool, members ...*member) (values []string) {
	for deadline := time.Now().Add(wait); !holds(values); {
		if time.Now().After(deadline) {
			panic(fmt.Sprint("time is over after ", values))
		}
		for _, m := range members {
			short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			values = append(values, texts(m.client.PollFetches(short).Records())...)
			cancel()
		}
	}
	return values
}

func groups(ctx context.Context, prefix string) {
	for _, balancer := range []kgo.GroupBalancer{kgo.RangeBalancer(), kgo.CooperativeStickyBalancer()} {
		share(ctx, prefix+"-"+balancer.ProtocolName(), balancer)
	}
}

// consumerGroups lets the broker assign: the client does so when it is asked to by its context.
func consumerGroups(ctx context.Context, prefix string) {
	ctx = context.WithValue(ctx, "opt_in_kafka_next_gen_balancer_beta", true)
	share(ctx, prefix+"-consumer", kgo.CooperativeStickyBalancer())
}

func share(ctx context.Context, topic string, balancer kgo.GroupBalancer) {
	create(ctx, topic, 4, nil)
	sender := producer()
	defer sender.Close()
	values, expected := numbers(40, "")
	send(ctx, sender, topic, values...)
	first := join(ctx, topic, topic, balancer)
	read := until(ctx, func(values []string) bool { return len(values) >= 40 }, first)
	equal(read, expected)
	must(first.client.CommitUncommittedOffsets(ctx))
	second := join(ctx, topic, topic, balancer)
	until(ctx, func([]string) bool { return first.count() == 2 && second.count() == 2 }, first, second)
	send(ctx, sender, topic, []byte("after"))
	some := func(values []string) bool { return len(values) > 0 }
	equal(until(ctx, some, first, second), []string{"after"})
	must(first.client.CommitUncommittedOffsets(ctx))
	must(second.client.CommitUncommittedOffsets(ctx))
	second.client.Close()
	until(ctx, func([]string) bool { return first.count() == 4 }, first)
	first.client.Close()
	admin := kadm.NewClient(sender)
	committed, err := admin.FetchOffsets(ctx, topic)
	must(err)
	offset, _ := committed.Lookup(topic, 0)
	equal(offset.At, int64(41))
	listed, err := admin.ListGroups(ctx)
	must(err)
	equal(listed[topic].State, "Empty")
	deleted, err := admin.DeleteGroup(ctx, topic)
	must(err)
	must(deleted.Err)
}
