//! How the settings of a topic, a group or the broker are altered while the broker runs.

use std::collections::{BTreeMap, HashSet};

use super::definition::Definition;
use super::error::ConfigError;
use super::value::Kind;

/// Bytes of a value: what an answer can tell.
const TEXT_BYTES_MAX: usize = 32_767;

/// Settings as they were written, by their names.
pub type Texts = BTreeMap<&'static str, String>;

/// What is to become of a resource's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// These, and no others.
    Replace(Vec<(String, Option<String>)>),
    /// Some change, and the others stay.
    Edit(Vec<(String, Edit)>),
}

/// A change of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It has this value.
    Set(String),
    /// It is as if nobody had set it.
    Delete,
    /// These elements are in its list, behind those that are in it.
    Append(String),
    /// These elements are not in its list.
    Subtract(String),
}

impl Alteration {
    /// What settings that were `texts` come to. Whether values can be is not looked at. What is not
    /// there may be deleted, also when there is no such setting.
    ///
    /// # Errors
    /// A setting that `find` does not know, or a list's change of what is no list.
    pub fn apply(
        &self,
        texts: &Texts,
        find: impl Fn(&str) -> Result<&'static Definition, ConfigError>,
    ) -> Result<Texts, ConfigError> {
        match self {
            Self::Replace(settings) => {
                let mut new = Texts::new();
                for (name, text) in settings {
                    let name = find(name)?.name;
                    let missing = || ConfigError::NullConfig { name: name.to_owned() };
                    new.insert(name, text.clone().ok_or_else(missing)?);
                }
                Ok(new)
            }
            Self::Edit(edits) => {
                let mut new = texts.clone();
                for (name, edit) in edits {
                    if *edit == Edit::Delete {
                        new.remove(name.as_str());
                        continue;
                    }
                    let definition = edit.check_list(name, find(name))?;
                    let text = edit.apply(definition, texts.get(definition.name));
                    if text.len() > TEXT_BYTES_MAX {
                        return Err(ConfigError::TooLong { name: definition.name });
                    }
                    new.insert(definition.name, text);
                }
                Ok(new)
            }
        }
    }
}

impl Edit {
    /// What is not known is no list either.
    fn check_list(
        &self,
        name: &str,
        found: Result<&'static Definition, ConfigError>,
    ) -> Result<&'static Definition, ConfigError> {
        let operation = match self {
            Self::Set(_) | Self::Delete => return found,
            Self::Append(_) => "APPEND",
            Self::Subtract(_) => "SUBTRACT",
        };
        let is_list = |definition: &&Definition| definition.kind == Kind::List;
        let not_a_list = || ConfigError::NotAList { operation, name: name.to_owned() };
        found.ok().filter(is_list).ok_or_else(not_a_list)
    }

    fn apply(&self, definition: &Definition, text: Option<&String>) -> String {
        let text = text.map(String::as_str).or(definition.default).unwrap_or_default();
        let mut list: Vec<_> = text.split(',').filter(|element| !element.is_empty()).collect();
        match self {
            Self::Set(text) => return text.clone(),
            Self::Delete => return String::new(),
            Self::Append(more) => {
                let mut known: HashSet<_> = list.iter().copied().collect();
                list.extend(more.split(',').filter(|element| known.insert(element)));
            }
            Self::Subtract(less) => {
                let gone: HashSet<_> = less.split(',').collect();
                list.retain(|element| !gone.contains(element));
            }
        }
        list.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::super::topic::table;
    use super::*;

    fn apply(texts: &[(&'static str, &str)], alteration: &Alteration) -> Result<Vec<String>, String> {
        let texts = texts.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        let find = |name: &str| {
            table::find(name).ok_or_else(|| ConfigError::UnknownTopicConfig { name: name.to_owned() })
        };
        let new = alteration.apply(&texts, find).map_err(|error| error.to_string())?;
        Ok(new.iter().map(|(name, text)| format!("{name}={text}")).collect())
    }

    fn edit(name: &str, edit: Edit) -> Alteration {
        Alteration::Edit(vec![(name.to_owned(), edit)])
    }

    #[test]
    fn an_edit_leaves_the_others_alone_and_a_replacement_does_not() {
        let texts = [("retention.ms", "5"), ("segment.ms", "6")];
        let set = edit("retention.ms", Edit::Set("7".into()));
        assert_eq!(apply(&texts, &set).unwrap(), ["retention.ms=7", "segment.ms=6"]);
        let deleted = edit("retention.ms", Edit::Delete);
        assert_eq!(apply(&texts, &deleted).unwrap(), ["segment.ms=6"]);
        let replaced = Alteration::Replace(vec![("flush.ms".into(), Some("8".into()))]);
        assert_eq!(apply(&texts, &replaced).unwrap(), ["flush.ms=8"]);
    }

    #[test]
    fn elements_come_to_a_list_once_and_go() {
        let texts = [("cleanup.policy", "delete")];
        let more = edit("cleanup.policy", Edit::Append("compact,delete".into()));
        assert_eq!(apply(&texts, &more).unwrap(), ["cleanup.policy=delete,compact"]);
        assert_eq!(apply(&[], &more).unwrap(), ["cleanup.policy=delete,compact"], "the default is there");
        let less = edit("cleanup.policy", Edit::Subtract("delete,other".into()));
        assert_eq!(apply(&texts, &less).unwrap(), ["cleanup.policy="]);
    }

    #[test]
    fn a_list_has_a_length_that_can_be_told() {
        let long = "x".repeat(20_000);
        let texts = [("cleanup.policy", long.as_str())];
        let more = edit("cleanup.policy", Edit::Append("y".repeat(20_000)));
        assert!(apply(&texts, &more).unwrap_err().contains("32767 bytes"));
    }

    #[test]
    fn what_is_no_list_has_no_elements() {
        let more = edit("retention.ms", Edit::Append("5".into()));
        let said = "Can't APPEND to key retention.ms because its type is not LIST.";
        assert_eq!(apply(&[], &more).unwrap_err(), said);
    }

    #[test]
    fn unknown_names_and_missing_values_are_refused() {
        assert_eq!(apply(&[], &edit("no.such", Edit::Delete)), Ok(Vec::new()));
        let unknown = edit("no.such", Edit::Set("1".into()));
        assert_eq!(apply(&[], &unknown).unwrap_err(), "Unknown topic config name: no.such");
        let null = Alteration::Replace(vec![("flush.ms".into(), None)]);
        assert!(apply(&[], &null).unwrap_err().contains("flush.ms"));
    }
}
