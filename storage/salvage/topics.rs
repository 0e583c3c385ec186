//! Topics and partitions that lost rows: each topic gets a name and a partition for each number, so that
//! a broker finds all that there is.

use crate::check::Findings;
use crate::check::rows::catalogue;
use crate::error::Result;
use crate::ids::{Offset, PartitionId};
use crate::index::Index;
use crate::journal::Mutation;
use crate::keys::{self, Table};
use crate::values::{PartitionRow, TopicRow};

/// The rows that make the topics of an index complete.
pub(super) fn completing(index: &Index, notes: &mut Vec<String>) -> Result<Vec<Mutation>> {
    let catalogue = catalogue(index, &mut Findings::default())?;
    let mut next = catalogue.next_partition();
    let mut rows = Vec::new();
    for (topic, partitions) in catalogue.by_topic() {
        let name = match catalogue.name(topic) {
            Some(name) => name.to_owned(),
            None => {
                let name = format!("salvaged-{topic}");
                notes.push(format!("a topic lost its name and its settings: it is called {name}"));
                let row = TopicRow { name: name.clone(), configs: Vec::new() };
                rows.push(Mutation {
                    table: Table::Topics,
                    key: keys::topics(topic),
                    value: Some(row.encode()?),
                });
                name
            }
        };
        let count = partitions.keys().next_back().map_or(1, |last| last + 1);
        for number in (0..count).filter(|number| !partitions.contains_key(number)) {
            notes.push(format!("partition {number} of {name} is not known any more: there is an empty one"));
            let row = PartitionRow { topic, index: number, log_start: Offset(0) };
            let (table, key) = (Table::Partitions, keys::partitions(next));
            rows.push(Mutation { table, key, value: Some(row.encode()) });
            next = PartitionId(next.0 + 1);
        }
    }
    Ok(rows)
}
