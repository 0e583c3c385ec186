// A NATS server with JetStream, and its clients: what the comparison of brokers starts and drives.
//
//	nats serve FOLDER always|default       tells "ready ADDRESS", and serves until it is killed
//	nats create ADDRESS NAME STREAMS       makes the streams of a load
//	nats produce ADDRESS NAME STREAMS PRODUCERS BYTES RECORDS SECONDS RATE WINDOW SAMPLE
//	nats consume ADDRESS NAME STREAMS RECORDS
//	nats tail ADDRESS NAME STREAMS BYTES SECONDS RATE
//
// The last three tell "outcome NANOSECONDS BYTES RECORDS", and before it a time in nanoseconds for each
// record that was timed. A partition of a topic is a stream here.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

func main() {
	if len(os.Args) < 4 {
		fail(fmt.Errorf("what is to be done?"))
	}
	var err error
	switch os.Args[1] {
	case "serve":
		err = serve(os.Args[2], os.Args[3] == "always")
	case "create":
		err = create(os.Args[2], os.Args[3], number(4))
	case "produce":
		err = produce(os.Args[2], load{
			name: os.Args[3], streams: number(4), producers: number(5), bytes: number(6), records: number(7),
			time: seconds(8), rate: float(9), window: number(10), sample: number(11),
		})
	case "consume":
		err = consume(os.Args[2], os.Args[3], number(4), number(5))
	case "tail":
		err = tail(os.Args[2], load{
			name: os.Args[3], streams: number(4), bytes: number(5), time: seconds(6), rate: float(7),
		})
	default:
		err = fmt.Errorf("what is %s?", os.Args[1])
	}
	if err != nil {
		fail(err)
	}
}

func serve(folder string, always bool) error {
	options := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: folder, SyncAlways: always,
		JetStreamMaxStore: 1 << 40, NoSigs: true,
	}
	it, err := server.NewServer(options)
	if err != nil {
		return err
	}
	it.Start()
	if !it.ReadyForConnections(time.Minute) {
		return fmt.Errorf("the server is not ready")
	}
	fmt.Println("version", server.VERSION)
	fmt.Println("ready", it.Addr().String())
	it.WaitForShutdown()
	return nil
}

func subject(name string, stream int) string {
	return fmt.Sprintf("%s-%d", name, stream)
}

func create(address, name string, streams int) error {
	connection, err := nats.Connect(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	jetstream, err := connection.JetStream()
	if err != nil {
		return err
	}
	for stream := range streams {
		it := subject(name, stream)
		config := &nats.StreamConfig{Name: it, Subjects: []string{it}, Storage: nats.FileStorage}
		if _, err := jetstream.AddStream(config); err != nil {
			return err
		}
	}
	return nil
}

func number(at int) int {
	return int(float(at))
}

func seconds(at int) time.Duration {
	return time.Duration(float(at) * float64(time.Second))
}

func float(at int) float64 {
	if at >= len(os.Args) {
		fail(fmt.Errorf("argument %d is missing", at))
	}
	value, err := strconv.ParseFloat(os.Args[at], 64)
	if err != nil {
		fail(err)
	}
	return value
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
