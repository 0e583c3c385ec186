//! Administration: topics, settings, groups.

use crate::support::{Trial, create, fill};
use anyhow::{Context, Result};
use callboard_client::admin::TopicSpec;
use callboard_protocol::native::admin::{Edit, Resource};
use callboard_protocol::native::read::Position;
use callboard_protocol::native::{Code, TopicPartition};

#[tokio::test]
async fn topics_come_grow_and_go() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let admin = client.admin();
        let created = admin.create_topic(TopicSpec::new("orders").partitions(3)).await?;
        assert_eq!(created.partitions, 3, "{name}");
        let again = admin.create_topic(TopicSpec::new("orders")).await.unwrap_err();
        assert_eq!(again.code(), Some(Code::TOPIC_EXISTS), "{name}");
        let bad = admin.validate_topic(TopicSpec::new("no/such")).await.unwrap_err();
        assert_eq!(bad.code(), Some(Code::INVALID_TOPIC_NAME), "{name}");
        admin.validate_topic(TopicSpec::new("other")).await?;
        assert_eq!(admin.topics().await?.len(), 1, "{name}: what was only checked is not there");
        admin.grow_topic("orders", 5).await?;
        assert_eq!(admin.topic("orders").await?.partitions, 5, "{name}");
        let fewer = admin.grow_topic("orders", 2).await.unwrap_err();
        assert_eq!(fewer.code(), Some(Code::INVALID_PARTITIONS), "{name}");
        admin.delete_topic("orders").await?;
        assert_eq!(admin.topic("orders").await.unwrap_err().code(), Some(Code::UNKNOWN_TOPIC), "{name}");
        assert_eq!(admin.delete_topic("orders").await.unwrap_err().code(), Some(Code::UNKNOWN_TOPIC));
    }
    Ok(())
}

#[tokio::test]
async fn settings_are_read_and_changed() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let (admin, topic) = (client.admin(), format!("configured-{}", name.len()));
        admin.create_topic(TopicSpec::new(&topic).config("retention.ms", 1000)).await?;
        let value = async |resource: Resource, key: &str| -> Result<_> {
            let configs = admin.configs(resource).await?;
            let found = configs.into_iter().find(|config| config.name == key).context("no such setting")?;
            Ok((found.value, found.origin))
        };
        let resource = Resource::Topic(topic.clone());
        let found = value(resource.clone(), "retention.ms").await?;
        assert_eq!(found, (Some("1000".to_owned()), "topic".to_owned()), "{name}");
        let edit = ("retention.ms".to_owned(), Edit::Set("2000".to_owned()));
        admin.alter_configs(resource.clone(), [edit]).await?;
        assert_eq!(value(resource.clone(), "retention.ms").await?.0.as_deref(), Some("2000"), "{name}");
        let unknown =
            admin.alter_configs(resource.clone(), [("no.such".to_owned(), Edit::Set(String::new()))]);
        assert_eq!(unknown.await.unwrap_err().code(), Some(Code::INVALID_CONFIG), "{name}");
        admin.alter_configs(resource.clone(), [("retention.ms".to_owned(), Edit::Delete)]).await?;
        assert_eq!(value(resource, "retention.ms").await?.1, "default", "{name}");
        assert_eq!(value(Resource::Broker, "num.partitions").await?.0.as_deref(), Some("4"), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn offsets_are_listed_by_place_and_by_time() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let (admin, topic) = (client.admin(), format!("listed-{}", name.len()));
        create(&client, &topic, 1).await?;
        fill(&client, &topic, 0, &["1", "2"]).await?;
        let offset =
            async |position| anyhow::Ok(admin.offset(&topic, 0, position).await?.map(|it| it.offset));
        assert_eq!(offset(Position::Earliest).await?, Some(0), "{name}");
        assert_eq!(offset(Position::Latest).await?, Some(2), "{name}");
        assert_eq!(offset(Position::AtTime(0)).await?, Some(0), "{name}");
        assert_eq!(offset(Position::AtTime(i64::MAX)).await?, None, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn groups_are_seen_reset_and_forgotten() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let (admin, topic, group) =
            (client.admin(), format!("seen-{}", name.len()), format!("g-{}", name.len()));
        create(&client, &topic, 1).await?;
        let partition = TopicPartition { topic: admin.topic(&topic).await?.id, partition: 0 };
        admin.set_group_offsets(&group, [(partition, 7)]).await?;
        let listed = admin.groups().await?;
        assert!(listed.iter().any(|it| it.group == group && it.state == "Empty"), "{name}: {listed:?}");
        assert_eq!(admin.group(&group).await?.members, [], "{name}");
        assert_eq!(admin.group_offsets(&group).await?[0].offset, Some(7), "{name}");
        admin.delete_group_offsets(&group, [partition]).await?;
        assert_eq!(admin.group_offsets(&group).await?, [], "{name}");
        admin.set_group_offsets(&group, [(partition, 7)]).await?;
        admin.delete_group(&group).await?;
        assert_eq!(admin.group(&group).await.unwrap_err().code(), Some(Code::UNKNOWN_GROUP), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn the_cluster_says_where_its_brokers_are() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let cluster = client.admin().cluster().await?;
        let broker = &cluster.brokers[0];
        assert_eq!((cluster.controller_id, broker.node_id), (1, 1), "{name}");
        let native = trial.broker.native_address().map(|it| it.to_string());
        let kafka = trial.broker.kafka_address().map(|it| it.to_string());
        assert_eq!((&broker.native, &broker.kafka), (&native, &kafka), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_request_that_names_too_many_is_refused_and_the_next_is_answered() -> Result<()> {
    let trial = Trial::start_with(&[("max.partitions.per.request", "2")]).await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("bounded-{}", name.len());
        create(&client, &topic, 3).await?;
        let id = client.admin().topic(&topic).await?.id;
        let offsets = |count| (0..count).map(move |partition| (TopicPartition { topic: id, partition }, 0));
        let many = client.admin().set_group_offsets("group", offsets(3)).await.unwrap_err();
        assert_eq!((many.code(), many.is_retriable()), (Some(Code::LIMIT_REACHED), false), "{name}");
        client.admin().set_group_offsets("group", offsets(2)).await?;
    }
    Ok(())
}
