//! AlterConfigs, versions 0 to 2: what a resource's settings are to be; all others are unset.

use super::altering::{Altered, Named, Wish, alter, check_settings};
use super::{Caller, Edge, Refused};
use callboard_actors::config::Alteration;
use callboard_protocol::kafka::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
    AlterableConfig,
};
use std::sync::Arc;

pub(super) async fn handle(
    edge: Arc<Edge>,
    caller: Caller,
    request: AlterConfigsRequest,
) -> Result<AlterConfigsResponse, Refused> {
    caller.check_partitions(request.resources.len())?;
    let wish = |resource: AlterConfigsResource| {
        let AlterConfigsResource { resource_type, resource_name, configs } = resource;
        let settings = configs.iter().map(|config| (&config.name, config.value.is_none()));
        let wish = check_settings(settings).map(|()| {
            let setting = |config: AlterableConfig| (config.name.into(), config.value.map(String::from));
            Wish::Alter(Alteration::Replace(configs.into_iter().map(setting).collect()))
        });
        (Named { resource_type, resource_name }, wish)
    };
    let wishes = request.resources.into_iter().map(wish).collect();
    let outcomes = alter(&edge, wishes, request.validate_only).await;
    let response = |Altered { named, error_code, error_message }| {
        let Named { resource_type, resource_name } = named;
        AlterConfigsResourceResponse { error_code, error_message, resource_type, resource_name }
    };
    let responses = outcomes.into_iter().map(response).collect();
    Ok(AlterConfigsResponse { responses, ..Default::default() })
}
