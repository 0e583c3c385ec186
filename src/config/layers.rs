//! Lays the places that settings come from over each other.

use callboard_actors::config::Values;
use config::{Config, Map, Source, Value, ValueKind};

use super::assignment::Assignment;
use super::error::LoadError;

/// Key and value of each setting of one place, the value knowing its assignment by number.
#[derive(Clone, Debug, Default)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.clone())
    }
}

/// The defaults, overruled by the places in their order.
pub(super) fn merge(places: impl IntoIterator<Item = Vec<Assignment>>) -> Result<Values, LoadError> {
    let mut builder = Config::builder();
    let mut assignments = Vec::new();
    for place in places {
        let mut layer = Layer::default();
        for assignment in place {
            let number = assignments.len().to_string();
            let text = ValueKind::String(assignment.text.clone());
            layer.0.insert(flat_key(assignment.definition.name), Value::new(Some(&number), text));
            assignments.push(assignment);
        }
        builder = builder.add_source(layer);
    }
    let mut values = Values::default();
    for value in builder.build()?.collect()?.into_values() {
        if let Some(winner) = assignment_of(&value, &assignments) {
            values.set(winner.definition.name, &winner.text, winner.source.clone())?;
        }
    }
    Ok(values)
}

fn assignment_of<'a>(value: &Value, assignments: &'a [Assignment]) -> Option<&'a Assignment> {
    let number: usize = value.origin()?.parse().ok()?;
    assignments.get(number)
}

/// A key without dots, in which the `config` crate would see a path: `max.connections` has to be
/// a value although `max.connections.per.ip` is one too.
fn flat_key(name: &str) -> String {
    name.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use callboard_actors::config::{Source, broker};

    use super::*;

    fn place(source: &Source, pairs: &[(&str, &str)]) -> Vec<Assignment> {
        let assignment = |(key, text): &(&str, &str)| Assignment {
            definition: broker::find(key).unwrap(),
            text: (*text).to_owned(),
            source: source.clone(),
        };
        pairs.iter().map(assignment).collect()
    }

    #[test]
    fn a_later_place_overrules_an_earlier_one() {
        let environment = Source::Environment("X".to_owned());
        let flag = Source::Flag("--set".to_owned());
        let values = merge([
            place(&environment, &[("num.partitions", "5"), ("max.connections", "6")]),
            place(&flag, &[("num.partitions", "7"), ("max.connections.per.ip", "8")]),
        ])
        .unwrap();
        let read = |name: &str| {
            let entry = values.get(name).unwrap();
            (entry.text.clone().unwrap(), entry.source.clone())
        };
        assert_eq!(read("num.partitions"), ("7".to_owned(), flag.clone()));
        assert_eq!(read("max.connections"), ("6".to_owned(), environment));
        assert_eq!(read("max.connections.per.ip"), ("8".to_owned(), flag));
        assert_eq!(read("node.id"), ("1".to_owned(), Source::Default));
    }

    #[test]
    fn within_a_place_the_last_one_counts() {
        let flag = Source::Flag("--set".to_owned());
        let pairs = [("num.partitions", "5"), ("num.partitions", "6")];
        let values = merge([place(&flag, &pairs)]).unwrap();
        assert_eq!(values.get("num.partitions").unwrap().text.as_deref(), Some("6"));
    }

    #[test]
    fn no_two_settings_share_a_flat_key() {
        let keys: std::collections::BTreeSet<_> = broker::all().map(|d| flat_key(d.name)).collect();
        assert_eq!(keys.len(), broker::all().count());
    }
}
