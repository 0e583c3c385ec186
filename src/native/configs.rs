//! Settings of topics, groups and brokers.

use super::refusals::Refused;
use super::{Native, unknown_topic};
use callboard_actors::broker::alter_configs::ConfigResource;
use callboard_actors::broker::create_topics::Mode;
use callboard_actors::config::{
    self, Alteration, Described, Origin, describe_broker, describe_cluster, describe_group, describe_topic,
};
use callboard_protocol::native::admin::{
    AlterConfigs, Config, ConfigEdit, ConfigsDescribed, DescribeConfigs, Edit, Resource,
};
use callboard_protocol::native::topics::Outcomes;
use callboard_protocol::native::{Code, Refusal};
use std::collections::HashSet;

pub(super) fn describe(native: &Native, describe: DescribeConfigs) -> Result<ConfigsDescribed, Refusal> {
    native.check_count(describe.resources.len())?;
    if describe.resources.iter().collect::<HashSet<_>>().len() < describe.resources.len() {
        return Err(Refusal::new(Code::INVALID_REQUEST, "something is named twice"));
    }
    let outcomes = describe.resources.iter().map(|resource| describe_one(native, resource)).collect();
    Ok(ConfigsDescribed { outcomes })
}

fn describe_one(native: &Native, resource: &Resource) -> Result<Vec<Config>, Refusal> {
    let settings = native.broker.settings();
    let described = match resource {
        Resource::Topic(name) => {
            let topics = native.broker.topics();
            let topic = topics.get(name).ok_or_else(unknown_topic)?;
            describe_topic(&topic.config.load(), &settings.topics.defaults, &settings.values)
        }
        Resource::Group(name) => {
            let config = settings.overrides.groups.get(name.as_str()).cloned().unwrap_or_default();
            describe_group(config.texts(), &settings.values)
        }
        Resource::Cluster => describe_cluster(&settings.values, &settings.overrides.cluster),
        Resource::Broker => describe_broker(&settings.values),
    };
    Ok(described.into_iter().map(setting).collect())
}

fn setting(described: Described) -> Config {
    let origin = match described.origin {
        Origin::Topic => "topic",
        Origin::Group => "group",
        Origin::Node => "node",
        Origin::Cluster => "cluster",
        Origin::Broker => "broker",
        Origin::Default => "default",
    };
    Config {
        name: described.definition.name.to_owned(),
        value: described.value,
        origin: origin.to_owned(),
        is_read_only: described.definition.read_only,
    }
}

pub(super) async fn alter(native: &Native, alter: AlterConfigs) -> Result<Outcomes, Refusal> {
    native.check_count(alter.resources.len())?;
    for (number, (resource, _)) in alter.resources.iter().enumerate() {
        if alter.resources.iter().take(number).any(|(other, _)| other == resource) {
            return Err(Refusal::new(Code::INVALID_REQUEST, "a resource is named twice"));
        }
    }
    let resources = alter.resources.into_iter().map(|(resource, edits)| {
        let edits = edits.into_iter().map(|ConfigEdit { name, edit }| (name, change(edit)));
        (named(resource), Alteration::Edit(edits.collect()))
    });
    let mode = if alter.validate_only { Mode::ValidateOnly } else { Mode::Apply };
    let altered = native.broker.alter_configs(resources.collect(), mode).await;
    let outcomes = altered.into_iter().map(|outcome| outcome.map_err(|error| error.refusal()));
    Ok(Outcomes { outcomes: outcomes.collect() })
}

fn named(resource: Resource) -> ConfigResource {
    match resource {
        Resource::Topic(name) => ConfigResource::Topic(name),
        Resource::Group(name) => ConfigResource::Group(name.as_str().into()),
        Resource::Cluster => ConfigResource::Cluster,
        Resource::Broker => ConfigResource::Node,
    }
}

fn change(edit: Edit) -> config::Edit {
    match edit {
        Edit::Set(value) => config::Edit::Set(value),
        Edit::Delete => config::Edit::Delete,
        Edit::Append(values) => config::Edit::Append(values),
        Edit::Subtract(values) => config::Edit::Subtract(values),
    }
}
