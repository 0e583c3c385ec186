//! A client that changes a setting of a topic, and reads it.

use crate::topics::KEPT;
use crate::world::{Client, Over};
use callboard_protocol::kafka::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse,
};
use callboard_protocol::kafka::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use std::time::Duration;

const NAME: &str = "max.message.bytes";
const TOPIC: i8 = 2;
const SET: i8 = 0;
/// More than any batch here has.
const LEAST: usize = 1 << 20;

/// What the setting may be: what is acknowledged, and what was sent since then.
#[derive(Debug, Default)]
pub(crate) struct Configured(Vec<String>);

/// Changes and reads until it is over.
pub(crate) async fn run(client: Client) -> Result<(), Over> {
    loop {
        client.pause().await;
        client.let_pass(Duration::from_millis(5)).await;
        if client.world().topics.kept().is_none() {
            continue;
        }
        if client.is_one_in(3) {
            alter(&client).await?;
        } else {
            describe(&client).await?;
        }
    }
}

async fn alter(client: &Client) -> Result<(), Over> {
    let value = (LEAST + client.below(LEAST)).to_string();
    {
        let may_be = &mut client.world().configured.0;
        if may_be.is_empty() {
            may_be.push("1048588".to_owned());
        }
        may_be.push(value.clone());
    }
    let config =
        AlterableConfig { name: NAME.into(), config_operation: SET, value: Some(value.as_str().into()) };
    let resource =
        AlterConfigsResource { resource_type: TOPIC, resource_name: KEPT.into(), configs: vec![config] };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let answer: IncrementalAlterConfigsResponse = client.ask(1, &request).await?;
    assert!(client.check(answer.responses[0].error_code)?, "{answer:?}");
    client.world().configured.0 = vec![value];
    Ok(())
}

/// Compares what the setting is with what it may be.
pub(crate) async fn describe(client: &Client) -> Result<(), Over> {
    let resource = DescribeConfigsResource {
        resource_type: TOPIC,
        resource_name: KEPT.into(),
        configuration_keys: Some(vec![NAME.into()]),
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    let answer: DescribeConfigsResponse = client.ask(4, &request).await?;
    if client.world().configured.0.is_empty() {
        return Ok(());
    }
    let value = String::from(answer.results[0].configs[0].value.clone().unwrap());
    let may_be = &mut client.world().configured.0;
    assert!(may_be.contains(&value), "{NAME} is {value}, and not one of {may_be:?}");
    // What was sent later may come later.
    let at = may_be.iter().rposition(|other| *other == value).unwrap();
    may_be.drain(..at);
    Ok(())
}
