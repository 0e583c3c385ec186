//! The journal and its parts: checking, stamping and appending batches, with and without a sync.

#![allow(missing_docs, clippy::expect_used, reason = "criterion's macros, and a benchmark that cannot begin")]

use callboard_benches::batch::batch;
use callboard_benches::broker::release_folder;
use callboard_protocol::batch::{Placement, Rules, validate};
use callboard_storage::PartitionId;
use callboard_storage::disk::OsDisk;
use callboard_storage::journal::{Body, OpenOptions, PlacedBatch, open};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;

fn check(criterion: &mut Criterion) {
    let rules = Rules {
        batch_bytes_max: 1 << 30,
        now: 0,
        before_max: i64::MAX,
        after_max: i64::MAX,
        log_append_time: false,
    };
    let mut group = criterion.benchmark_group("validate");
    for bytes in [100, 10_000, 1_000_000] {
        let batch = batch(bytes);
        group.throughput(Throughput::Bytes(batch.bytes.len() as u64));
        group.bench_function(format!("{bytes} bytes"), |bencher| {
            bencher.iter(|| validate(black_box(batch.bytes.clone()), &rules));
        });
    }
    group.finish();
}

fn append(criterion: &mut Criterion) {
    let folder = tempfile::tempdir_in(release_folder().expect("a folder")).expect("a folder");
    let options =
        OpenOptions { folder: folder.path().to_owned(), segment_bytes: 256 << 20, checkpoint: None };
    let (mut writer, _) = open(Arc::new(OsDisk), options).expect("a journal");
    let mut group = criterion.benchmark_group("append");
    group.sample_size(20);
    for (records, bytes) in [(1, 100), (32, 100), (8, 1_000_000)] {
        let placement = Placement { base_offset: 0, leader_epoch: 0 };
        let placed = PlacedBatch { partition: PartitionId(1), batch: batch(bytes).stamp(placement) };
        let bodies = vec![Body { batches: vec![placed], ..Body::default() }; records];
        group.throughput(Throughput::Bytes((records * bytes) as u64));
        group.bench_function(format!("{records} records of {bytes} bytes"), |bencher| {
            bencher.iter(|| writer.append(&bodies));
        });
        group.bench_function(format!("{records} records of {bytes} bytes, synced"), |bencher| {
            bencher.iter(|| writer.append(&bodies).and_then(|_| writer.sync()));
        });
    }
    group.finish();
}

criterion_group!(benches, check, append);
criterion_main!(benches);
