//! Alter configurations of topics, groups and brokers while the broker runs.

use super::create_topics::{Mode, topic_row_with};
use super::topics::TopicView;
use super::{Broker, BrokerHandle};
use crate::config::{
    Alteration, ConfigError, Definition, GroupConfig, Overrides, Settings, Texts, TopicConfig, broker, group,
    topic,
};
use crate::mail::{Unavailable, ask};
use crate::names::GroupId;
use actix::fut::wrap_future;
use actix::{ActorFutureExt, AsyncContext, Context, Handler, Message};
use callboard_storage::journal::Mutation;
use callboard_storage::keys::{self, ConfigKind, Table};
use callboard_storage::values::ConfigRow;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What is to become of the settings of some resources.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct AlterConfigs {
    /// The resources, each once. One that is refused leaves the others alone.
    pub resources: Vec<(ConfigResource, Alteration)>,
    /// Whether to do it.
    pub mode: Mode,
    /// An outcome for each, in their order.
    pub reply: oneshot::Sender<Vec<Result<(), AlterConfigsError>>>,
}

/// Something that has settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigResource {
    /// A topic, by its name.
    Topic(String),
    /// A group, whether it is there or not.
    Group(GroupId),
    /// All brokers.
    Cluster,
    /// This broker.
    Node,
}

/// Why the settings of a resource stay as they are.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AlterConfigsError {
    /// There is no such topic.
    #[error("The topic '{0}' does not exist.")]
    UnknownTopic(String),
    /// Settings that can only be set before the broker starts.
    #[error("Cannot update these configs dynamically: [{}]", .0.join(", "))]
    ReadOnly(Vec<&'static str>),
    /// As many groups as there may be have settings of their own.
    #[error("{0} groups have settings of their own, no more may.")]
    TooManyGroups(usize),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Storage has failed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl BrokerHandle {
    /// An outcome for each resource, also when the broker is gone.
    pub async fn alter_configs(
        &self,
        resources: Vec<(ConfigResource, Alteration)>,
        mode: Mode,
    ) -> Vec<Result<(), AlterConfigsError>> {
        let count = resources.len();
        let outcomes = ask(self.broker(), |reply| AlterConfigs { resources, mode, reply }).await;
        outcomes.unwrap_or_else(|Unavailable| vec![Err(Unavailable.into()); count])
    }
}

/// What a request comes to.
struct Plan {
    settings: Settings,
    topics: Vec<(Arc<TopicView>, TopicConfig)>,
    rows: Vec<Mutation>,
}

impl Handler<AlterConfigs> for Broker {
    type Result = ();

    fn handle(&mut self, message: AlterConfigs, ctx: &mut Context<Self>) {
        let AlterConfigs { resources, mode, reply } = message;
        let settings = Settings::clone(&self.settings.load());
        let mut plan = Plan { settings, topics: Vec::new(), rows: Vec::new() };
        let outcomes: Vec<_> = resources
            .iter()
            .map(|(resource, alteration)| self.plan_alteration(resource, alteration, &mut plan))
            .collect();
        if mode == Mode::ValidateOnly || plan.rows.is_empty() {
            let _ = reply.send(outcomes);
            return;
        }
        let commit = wrap_future::<_, Self>(self.commit(std::mem::take(&mut plan.rows)));
        // Nothing else of the registry changes meanwhile, or another alteration could be lost.
        ctx.wait(commit.map(move |committed, broker, _| {
            if committed.is_ok() {
                broker.apply(plan);
            }
            let result = |outcome: Result<(), _>| outcome.and(committed.map_err(AlterConfigsError::from));
            let _ = reply.send(outcomes.into_iter().map(result).collect());
        }));
    }
}

impl Broker {
    fn plan_alteration(
        &self,
        resource: &ConfigResource,
        alteration: &Alteration,
        plan: &mut Plan,
    ) -> Result<(), AlterConfigsError> {
        match resource {
            ConfigResource::Topic(name) => self.plan_topic_config(name, alteration, plan),
            ConfigResource::Group(id) => plan_group(id, alteration, plan),
            ConfigResource::Cluster => {
                let mut overrides = plan.settings.overrides.clone();
                overrides.cluster = alter_broker(&overrides.cluster, alteration)?;
                let row = config_row(ConfigKind::Cluster, "", &overrides.cluster);
                self.plan_overrides(overrides, row, plan)
            }
            ConfigResource::Node => {
                let mut overrides = plan.settings.overrides.clone();
                overrides.node = alter_broker(&overrides.node, alteration)?;
                let row = config_row(ConfigKind::Node, &plan.settings.node_id.to_string(), &overrides.node);
                self.plan_overrides(overrides, row, plan)
            }
        }
    }

    fn plan_topic_config(
        &self,
        name: &str,
        alteration: &Alteration,
        plan: &mut Plan,
    ) -> Result<(), AlterConfigsError> {
        let found = self.topics.load().get(name).cloned();
        // A setting that nobody knows is told also where there is no such topic, as in Kafka.
        let current = found.as_ref().map(|view| view.config.load().overrides().clone()).unwrap_or_default();
        let texts = alteration.apply(&current, topic::find)?;
        let config = TopicConfig::from_texts(texts, &plan.settings.topics.defaults)?;
        let view = found.ok_or_else(|| AlterConfigsError::UnknownTopic(name.to_owned()))?;
        plan.rows.extend(topic_row_with(&view, &config));
        plan.topics.push((view, config));
        Ok(())
    }

    fn plan_overrides(
        &self,
        overrides: Overrides,
        row: Option<Mutation>,
        plan: &mut Plan,
    ) -> Result<(), AlterConfigsError> {
        plan.settings = Settings::with_overrides(self.base.clone(), overrides)?;
        plan.rows.extend(row);
        Ok(())
    }

    fn apply(&self, plan: Plan) {
        let Plan { settings, topics, .. } = plan;
        for (view, config) in topics {
            view.config.store(Arc::new(config));
        }
        let settings = Arc::new(settings);
        let before = self.settings.swap(Arc::clone(&settings));
        if before.topics.defaults != settings.topics.defaults {
            self.inherit(&settings);
        }
    }

    /// Lets all topics inherit what the broker says for them now, those too that are being created.
    fn inherit(&self, settings: &Settings) {
        for view in self.topics.load().iter().chain(self.creating.values()) {
            let config = view.config.load();
            let overrides = config.overrides().iter().map(|(name, text)| (*name, text.as_str()));
            view.config.store(Arc::new(TopicConfig::restore(overrides, &settings.topics.defaults)));
        }
    }
}

fn plan_group(id: &GroupId, alteration: &Alteration, plan: &mut Plan) -> Result<(), AlterConfigsError> {
    let Settings { overrides: Overrides { groups, .. }, groups: broker, .. } = &mut plan.settings;
    let current = groups.get(id).map(|config| config.texts().clone()).unwrap_or_default();
    let config = GroupConfig::parse(alteration.apply(&current, group::find)?, broker)?;
    let row = config_row(ConfigKind::Group, id, config.texts());
    if config.texts().is_empty() {
        groups.remove(id);
    } else if groups.contains_key(id) || groups.len() < broker.groups_max {
        groups.insert(id.clone(), Arc::new(config));
    } else {
        return Err(AlterConfigsError::TooManyGroups(broker.groups_max));
    }
    plan.rows.extend(row);
    Ok(())
}

fn alter_broker(texts: &Texts, alteration: &Alteration) -> Result<Texts, AlterConfigsError> {
    let altered = alteration.apply(texts, find_broker)?;
    let is_read_only = |name: &&&str| broker::find(name).is_some_and(|definition| definition.read_only);
    let read_only: Vec<_> = altered.keys().filter(is_read_only).copied().collect();
    if read_only.is_empty() { Ok(altered) } else { Err(AlterConfigsError::ReadOnly(read_only)) }
}

fn find_broker(name: &str) -> Result<&'static Definition, ConfigError> {
    broker::find(name).ok_or_else(|| ConfigError::UnknownBrokerConfig { name: name.to_owned() })
}

/// What storage has of settings, as names with texts.
#[derive(Debug, Default)]
pub(super) struct StoredConfigs {
    pub(super) cluster: Vec<(String, String)>,
    pub(super) node: Vec<(String, String)>,
    pub(super) groups: Vec<(GroupId, Vec<(String, String)>)>,
}

/// Puts what storage has on top of the settings. What was possible when a client said it and is not any
/// more, after a change before the start, does not keep the broker from starting.
pub(super) fn restore(base: &Settings, stored: StoredConfigs) -> Settings {
    let mut settings = base.clone();
    // What is said for this broker comes first: it covers what is said for all.
    let node = stored.node.into_iter().map(|config| (config, true));
    for ((name, text), is_node) in node.chain(stored.cluster.into_iter().map(|config| (config, false))) {
        let mut overrides = settings.overrides.clone();
        let changed = find_broker(&name).and_then(|definition| {
            let texts = if is_node { &mut overrides.node } else { &mut overrides.cluster };
            texts.insert(definition.name, text);
            Settings::with_overrides(base.values.clone(), overrides)
        });
        match changed {
            Ok(changed) => settings = changed,
            Err(error) => tracing::error!(name, %error, "what a client configured is ignored"),
        }
    }
    for (id, configs) in stored.groups {
        settings.overrides.groups.insert(id, Arc::new(GroupConfig::restore(configs)));
    }
    settings
}

/// The row of a resource that is not a topic; none is left of one of which nothing is said.
fn config_row(kind: ConfigKind, name: &str, texts: &Texts) -> Option<Mutation> {
    let configs: Vec<_> = texts.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
    let is_empty = configs.is_empty();
    // Encoding plain strings into memory does not fail.
    let value = ConfigRow { configs }.encode().ok()?;
    let value = (!is_empty).then_some(value);
    Some(Mutation { table: Table::Configs, key: keys::configs(kind, name), value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::create_topics::tests::Trial;
    use crate::config::Edit;
    use crate::mail::ask;
    use std::time::Duration;

    async fn alter(
        trial: &Trial,
        resource: ConfigResource,
        name: &str,
        edit: Edit,
        mode: Mode,
    ) -> Result<(), AlterConfigsError> {
        let resources = vec![(resource, Alteration::Edit(vec![(name.to_owned(), edit)]))];
        let all = ask(trial.broker.broker(), |reply| AlterConfigs { resources, mode, reply }).await.unwrap();
        all.into_iter().next().unwrap()
    }

    fn retention(trial: &Trial, topic: &str) -> Option<Duration> {
        trial.broker.topics().get(topic).unwrap().config.load().settings().retention
    }

    fn set(text: &str) -> Edit {
        Edit::Set(text.to_owned())
    }

    #[actix::test]
    async fn a_topic_has_what_was_said_for_it_also_after_a_restart() {
        let trial = Trial::start(&[]);
        let view = trial.create_one("orders", 1).await.unwrap();
        let orders = || ConfigResource::Topic("orders".to_owned());
        alter(&trial, orders(), "retention.ms", set("5000"), Mode::ValidateOnly).await.unwrap();
        assert_eq!(retention(&trial, "orders"), Some(Duration::from_hours(168)));
        alter(&trial, orders(), "retention.ms", set("5000"), Mode::Apply).await.unwrap();
        assert_eq!(
            view.config.load().settings().retention,
            Some(Duration::from_secs(5)),
            "who has it sees it"
        );
        let refused = alter(&trial, orders(), "segment.bytes", set("1"), Mode::Apply).await.unwrap_err();
        assert!(matches!(refused, AlterConfigsError::Config(_)), "{refused}");
        let trial = trial.restart().await;
        assert_eq!(retention(&trial, "orders"), Some(Duration::from_secs(5)));
        alter(&trial, orders(), "retention.ms", Edit::Delete, Mode::Apply).await.unwrap();
        assert_eq!(retention(&trial, "orders"), Some(Duration::from_hours(168)));
        let nothing = ConfigResource::Topic("nothing".to_owned());
        let refused = alter(&trial, nothing, "retention.ms", set("5"), Mode::Apply).await;
        assert_eq!(refused, Err(AlterConfigsError::UnknownTopic("nothing".to_owned())));
    }

    #[actix::test]
    async fn topics_inherit_what_the_broker_is_told_the_broker_itself_before_all() {
        let trial = Trial::start(&[]);
        trial.create_one("orders", 1).await.unwrap();
        let name = "log.retention.ms";
        alter(&trial, ConfigResource::Cluster, name, set("7000"), Mode::Apply).await.unwrap();
        assert_eq!(retention(&trial, "orders"), Some(Duration::from_secs(7)));
        alter(&trial, ConfigResource::Node, name, set("8000"), Mode::Apply).await.unwrap();
        assert_eq!(retention(&trial, "orders"), Some(Duration::from_secs(8)));
        let trial = trial.restart().await;
        assert_eq!(retention(&trial, "orders"), Some(Duration::from_secs(8)));
        for (resource, left) in [(ConfigResource::Node, 7), (ConfigResource::Cluster, 168 * 3600)] {
            alter(&trial, resource, name, Edit::Delete, Mode::Apply).await.unwrap();
            assert_eq!(retention(&trial, "orders"), Some(Duration::from_secs(left)));
        }
    }

    #[actix::test]
    async fn what_is_fixed_at_the_start_stays() {
        let trial = Trial::start(&[]);
        let refused = alter(&trial, ConfigResource::Node, "num.partitions", set("9"), Mode::Apply).await;
        assert_eq!(refused, Err(AlterConfigsError::ReadOnly(vec!["num.partitions"])));
        let refused = alter(&trial, ConfigResource::Cluster, "no.such", set("9"), Mode::Apply).await;
        assert!(matches!(refused, Err(AlterConfigsError::Config(_))));
    }

    #[actix::test]
    async fn a_group_has_times_of_its_own_within_the_brokers_bounds() {
        let trial = Trial::start(&[("max.groups", "1")]);
        let group = || ConfigResource::Group("group".into());
        let name = "consumer.session.timeout.ms";
        let refused = alter(&trial, group(), name, set("44999"), Mode::Apply).await.unwrap_err();
        let said = "consumer.session.timeout.ms must be greater than or equal to \
                    group.consumer.min.session.timeout.ms";
        assert_eq!(refused.to_string(), said);
        alter(&trial, group(), name, set("50000"), Mode::Apply).await.unwrap();
        let second = alter(&trial, ConfigResource::Group("second".into()), name, set("50000"), Mode::Apply);
        assert_eq!(second.await, Err(AlterConfigsError::TooManyGroups(1)));
        let trial = trial.restart().await;
        let timeout = |id: &str| trial.broker.settings().group(id).consumer_session_timeout;
        assert_eq!(timeout("group"), Duration::from_secs(50));
        assert_eq!(timeout("other"), Duration::from_secs(45));
        alter(&trial, group(), name, Edit::Delete, Mode::Apply).await.unwrap();
        assert_eq!(timeout("group"), Duration::from_secs(45));
    }
}
