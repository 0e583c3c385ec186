package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
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

func join(group, topic string, how ...kgo.Opt) *member {
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
	m.client = client(append(how,
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(200*time.Millisecond),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)),
		kgo.OnPartitionsLost(change(false)),
	)...)
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
		topic := prefix + "-" + balancer.ProtocolName()
		share(ctx, topic, kgo.Balancers(balancer))
		c := client()
		deleted, err := kadm.NewClient(c).DeleteGroup(ctx, topic)
		c.Close()
		must(err)
		must(deleted.Err)
	}
}

// consumerGroups lets the broker assign.
func consumerGroups(ctx context.Context, prefix string) {
	topic := prefix + "-consumer"
	share(ctx, topic, kgo.ServerSideBalancer())
	c := client()
	defer c.Close()
	described, err := kadm.NewClient(c).DescribeConsumerGroups(ctx, topic)
	must(err)
	equal(described[topic].State, "Empty")
}

func share(ctx context.Context, topic string, how ...kgo.Opt) {
	create(ctx, topic, 4, nil)
	sender := producer()
	defer sender.Close()
	values, expected := numbers(40, "")
	send(ctx, sender, topic, values...)
	first := join(topic, topic, how...)
	read := until(ctx, func(values []string) bool { return len(values) >= 40 }, first)
	equal(read, expected)
	must(first.client.CommitUncommittedOffsets(ctx))
	second := join(topic, topic, how...)
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
}

// stay is one of a group until SIGTERM; it says what it reads, and then that this is committed. A fourth
// word makes it a static member of that name.
func stay(_ context.Context, topic string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	how := []kgo.Opt{kgo.SessionTimeout(2 * time.Second)}
	for _, instance := range os.Args[4:] {
		how = []kgo.Opt{kgo.SessionTimeout(10 * time.Second), kgo.InstanceID(instance)}
	}
	c := client(append(how,
		kgo.ConsumerGroup(topic), kgo.ConsumeTopics(topic), kgo.Balancers(kgo.RoundRobinBalancer()), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(200*time.Millisecond),
		kgo.RebalanceTimeout(10*time.Second), kgo.BlockRebalanceOnPoll(),
	)...)
	// It leaves, so that the others need not find out.
	defer c.CloseAllowingRebalance()
	for ctx.Err() == nil {
		for _, record := range c.PollFetches(ctx).Records() {
			fmt.Println("read", record.Partition, record.Offset)
			if c.CommitRecords(ctx, record) == nil {
				fmt.Println("committed", record.Partition, record.Offset+1)
			}
		}
		c.AllowRebalance()
	}
}
