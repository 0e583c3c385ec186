//! `callboard config --json`: the settings of a broker, for programs.

use super::output::line;
use anyhow::Result;
use callboard_actors::config::{Kind, Value, Values};
use serde_json::json;

/// Prints each setting with its value and where that is from, sorted by name.
///
/// # Errors
/// When nothing can be written.
pub fn run(values: &Values) -> Result<()> {
    for entry in values.iter() {
        let value = match (entry.definition.kind, &entry.value) {
            (_, None) => json!(null),
            (Kind::Password, Some(_)) => json!("[hidden]"),
            (_, Some(Value::Boolean(boolean))) => json!(boolean),
            (_, Some(Value::Int(number))) => json!(number),
            (_, Some(Value::Long(number))) => json!(number),
            (_, Some(Value::Double(number))) => json!(number),
            (_, Some(Value::Text(text))) => json!(text),
            (_, Some(Value::List(list))) => json!(list),
        };
        let setting = json!({
            "setting": entry.definition.name,
            "value": value,
            "source": entry.source.to_string(),
        });
        line(&setting.to_string())?;
    }
    Ok(())
}
