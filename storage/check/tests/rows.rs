//! Rows that do not fit together, or lead to what is not there.

use super::*;

#[test]
fn rows_that_do_not_fit_together_are_found() {
    let wrong: [(&str, Vec<Row>); 6] = [
        ("topic orders lacks partitions", vec![partition(2, ORDERS, 2, Offset(4))]),
        ("number 9 has no place in a topic", vec![partition(9, TopicId(Uuid::from_u128(9)), 0, Offset(0))]),
        ("two topics are called orders", vec![topic(TopicId(Uuid::from_u128(9)), "orders")]),
        (
            "which never was",
            vec![(
                Table::Offsets,
                keys::offsets("kitchen", TopicId(Uuid::from_u128(9)), 0),
                committed("", 0).2,
            )],
        ),
        ("cannot be read", vec![(Table::Groups, keys::groups("kitchen"), Some(vec![7, 7]))]),
        (
            "which never was",
            vec![(
                Table::Producers,
                keys::producers(PartitionId(77), crate::ProducerId(1)),
                Some(crate::values::ProducerRow { epoch: 0, batches: Vec::new() }.encode().unwrap()),
            )],
        ),
    ];
    for (says, rows) in wrong {
        let folder = folder(Left::Closed);
        let mut writing = Writing::open(folder.path());
        writing.rows(rows);
        writing.leave(Left::Crashed);
        let content = told(&checked(folder.path()));
        assert!(content.contains(says), "{says}: {content}");
    }
}

/// Changes rows of an index behind the journal's back.
fn change(folder: &Path, change: impl FnOnce(&mut crate::index::IndexBatch<'_>)) {
    let checkpoint = Checkpoint::read(&OsDisk, &folder.join("checkpoint")).unwrap();
    let index = Index::open(&folder.join("index"), checkpoint.as_ref()).unwrap();
    let mut batch = index.batch();
    change(&mut batch);
    batch.commit().unwrap();
    index.begin_flush().unwrap();
    while !index.is_flushed().unwrap() {
        std::thread::yield_now();
    }
}

#[test]
fn rows_of_a_log_that_lead_elsewhere_are_found() {
    let place = |folder: &Path, base| {
        let checkpoint = Checkpoint::read(&OsDisk, &folder.join("checkpoint")).unwrap();
        let index = Index::open(&folder.join("index"), checkpoint.as_ref()).unwrap();
        index.get(Table::Log, &keys::log(PartitionId(1), Offset(base))).unwrap().unwrap()
    };
    let key = |base| keys::log(PartitionId(1), Offset(base));
    let found = |says: &str, make: &dyn Fn(&mut crate::index::IndexBatch<'_>, Vec<u8>)| {
        let folder = folder(Left::Closed);
        let other = place(folder.path(), 6);
        change(folder.path(), |batch| make(batch, other));
        let content = told(&checked(folder.path()));
        assert!(content.contains(says), "{says}: {content}");
    };
    found("partition 0 of orders, offset 5: no batch has them", &|batch, _| {
        batch.delete(Table::Log, &key(5));
    });
    found("it leads to something else than the batch", &|batch, other| batch.put(Table::Log, &key(5), other));
    found("the journal has them, the index has not", &|batch, _| batch.delete(Table::Log, &key(18)));
    found("its segment is missing", &|batch, mut other| {
        other[..8].copy_from_slice(&99_u64.to_be_bytes());
        batch.put(Table::Log, &key(6), other);
    });
    found("table epochs leads to a batch that is not there", &|batch, _| {
        batch.put(Table::Epochs, &keys::epochs(PartitionId(1), 7), 1000_i64.to_be_bytes().to_vec());
    });
    found("table times says something else", &|batch, _| {
        batch.put(Table::Times, &keys::times(PartitionId(1), 1_000_000), 6_i64.to_be_bytes().to_vec());
    });
    found("a row cannot be read", &|batch, _| batch.put(Table::Log, &key(5), vec![1]));
}
