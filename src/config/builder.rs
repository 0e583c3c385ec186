//! The configuration of a broker that a program embeds.

use callboard_actors::config::{ConfigError, Settings, Source, Values};
use std::path::PathBuf;

/// The configuration of a broker: the settings of `callboard.toml` by the same keys. What is not set
/// has its default.
///
/// ```
/// let config = callboard::Config::new("./orders").without_ports().set("num.partitions", 8);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Config {
    base: Values,
    pairs: Vec<(String, String)>,
    data_dir: Option<PathBuf>,
}

impl Config {
    /// A broker with its data in that folder, which is created when it is not there.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: Some(data_dir.into()), ..Self::default() }
    }

    /// Gives a setting a value; of two for one key the later counts. Whether there is such a key, and
    /// whether it may have that value, is checked when the broker starts.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl ToString) -> Self {
        self.pairs.push((key.into(), value.to_string()));
        self
    }

    /// Listens to Kafka clients at that address and port, port 0 for any that is free.
    #[must_use]
    pub fn kafka(self, address: impl ToString) -> Self {
        self.set("kafka.address", address)
    }

    /// Listens to native clients at that address and port, port 0 for any that is free.
    #[must_use]
    pub fn native(self, address: impl ToString) -> Self {
        self.set("native.address", address)
    }

    /// Listens to nobody: the broker is there for the program that it runs in.
    #[must_use]
    pub fn without_ports(self) -> Self {
        self.kafka("off").native("off")
    }

    pub(crate) fn into_settings(self) -> Result<Settings, ConfigError> {
        let Self { base: mut values, pairs, data_dir } = self;
        for (key, value) in &pairs {
            values.set(key, value, Source::Program)?;
        }
        let mut settings = Settings::from_values(values)?;
        if let Some(data_dir) = data_dir {
            settings.data_dir = data_dir;
        }
        Ok(settings)
    }
}

impl From<Values> for Config {
    /// What was read from files, variables and flags.
    fn from(base: Values) -> Self {
        Self { base, ..Self::default() }
    }
}
