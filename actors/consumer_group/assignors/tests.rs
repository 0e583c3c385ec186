//! Tests of the assignors: each partition has one owner that subscribes, loads are even, and members keep
//! what they can.

use super::*;
use proptest::prelude::*;
use uuid::Uuid;

fn topic(number: u128) -> TopicId {
    TopicId(Uuid::from_u128(number))
}

fn subscriber(id: &str, topics: &[u128], previous: &[(u128, &[i32])]) -> Subscriber {
    let previous = previous.iter().map(|(number, kept)| (topic(*number), kept.iter().copied().collect()));
    Subscriber {
        id: id.into(),
        instance: None,
        topics: Arc::new(topics.iter().copied().map(topic).collect()),
        previous: previous.collect(),
    }
}

fn partitions(counts: &[(u128, i32)]) -> Partitions {
    counts.iter().map(|(number, count)| (topic(*number), *count)).collect()
}

fn told(targets: &[Target]) -> Vec<Vec<(u128, Vec<i32>)>> {
    let one = |target: &Target| {
        target.iter().map(|(topic, kept)| (topic.0.as_u128(), kept.iter().copied().collect())).collect()
    };
    targets.iter().map(one).collect()
}

fn size(target: &Target) -> usize {
    target.values().map(BTreeSet::len).sum()
}

#[test]
fn range_gives_runs_and_topics_of_one_size_alike() {
    let members = [subscriber("b", &[1, 2], &[]), subscriber("a", &[1, 2], &[]), subscriber("c", &[3], &[])];
    let targets = Assignor::Range.assign(&members, &partitions(&[(1, 3), (2, 3), (3, 1)]));
    let expected =
        [vec![(1, vec![2]), (2, vec![2])], vec![(1, vec![0, 1]), (2, vec![0, 1])], vec![(3, vec![0])]];
    assert_eq!(told(&targets), expected);
    let two = Assignor::Range.assign(&[members[0].clone(), members[1].clone()], &partitions(&[(1, 1)]));
    assert_eq!(two.iter().map(size).collect::<Vec<_>>(), [0, 1], "there is nothing left for the last");
}

#[test]
fn range_puts_static_members_first() {
    let fixed = Subscriber { instance: Some("i".into()), ..subscriber("z", &[1], &[]) };
    let targets = Assignor::Range.assign(&[subscriber("a", &[1], &[]), fixed], &partitions(&[(1, 2)]));
    assert_eq!(told(&targets), [vec![(1, vec![1])], vec![(1, vec![0])]]);
}

#[test]
fn uniform_takes_from_who_has_all_no_more_than_is_fair() {
    let members = [subscriber("a", &[1], &[(1, &[0, 1, 2, 3])]), subscriber("b", &[1], &[])];
    let targets = Assignor::Uniform.assign(&members, &partitions(&[(1, 4)]));
    assert_eq!(told(&targets), [vec![(1, vec![0, 1])], vec![(1, vec![2, 3])]]);
}

#[test]
fn uniform_lets_members_keep_what_they_have_when_one_goes() {
    let members = [subscriber("a", &[1], &[(1, &[0, 1])]), subscriber("c", &[1], &[(1, &[4, 5])])];
    let targets = Assignor::Uniform.assign(&members, &partitions(&[(1, 6)]));
    assert!(targets[0][&topic(1)].is_superset(&[0, 1].into()));
    assert!(targets[1][&topic(1)].is_superset(&[4, 5].into()));
    assert_eq!(targets.iter().map(size).collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn uniform_balances_members_of_different_subscriptions() {
    let members = [
        subscriber("a", &[1, 2], &[(1, &[0, 1]), (2, &[0, 1])]),
        subscriber("b", &[2], &[]),
        subscriber("c", &[1], &[]),
    ];
    let targets = Assignor::Uniform.assign(&members, &partitions(&[(1, 2), (2, 2)]));
    let sizes: Vec<_> = targets.iter().map(size).collect();
    assert_eq!((sizes.iter().sum::<usize>(), sizes.iter().max()), (4, Some(&2)));
}

/// Members with any subscriptions to four topics and any memory of what they had.
fn groups() -> impl Strategy<Value = (Vec<Subscriber>, Partitions)> {
    let member = (0..16_u8, proptest::collection::vec((0..4_u128, 0..9_i32), 0..8));
    let members = proptest::collection::vec(member, 1..9);
    let counts = proptest::collection::vec(0..9_i32, 4);
    (members, counts).prop_map(|(members, counts)| {
        let members = members.iter().enumerate().map(|(at, (mask, previous))| {
            let topics = (0..4).filter(|number| mask & (1 << number) != 0).collect::<Vec<u128>>();
            let mut one = subscriber(&format!("m{at}"), &topics, &[]);
            for (number, partition) in previous {
                one.previous.entry(topic(*number)).or_default().insert(*partition);
            }
            one
        });
        (members.collect(), (0..).zip(counts).map(|(number, count)| (topic(number), count)).collect())
    })
}

proptest! {
    #[test]
    fn each_partition_that_is_read_has_one_owner_that_reads_it((members, counts) in groups()) {
        for assignor in Assignor::ALL {
            let targets = assignor.assign(&members, &counts);
            for (topic, count) in &counts {
                let is_read = members.iter().any(|member| member.topics.contains(topic));
                for partition in 0..*count {
                    let owners = targets.iter().zip(&members).filter(|(target, member)| {
                        let has = target.get(topic).is_some_and(|kept| kept.contains(&partition));
                        assert!(!has || member.topics.contains(topic), "{assignor:?}");
                        has
                    });
                    prop_assert_eq!(owners.count(), usize::from(is_read), "{:?}", assignor);
                }
            }
            let given: usize = targets.iter().map(size).sum();
            let read = counts.iter().filter(|(topic, _)| members.iter().any(|it| it.topics.contains(topic)));
            prop_assert_eq!(given, read.map(|(_, count)| *count as usize).sum::<usize>());
        }
    }

    #[test]
    fn uniform_is_even_where_all_read_the_same((members, counts) in groups()) {
        let alike: Vec<_> = members.iter().map(|member| Subscriber { topics: Arc::clone(&members[0].topics), ..member.clone() }).collect();
        let targets = Assignor::Uniform.assign(&alike, &counts);
        let sizes: Vec<_> = targets.iter().map(size).collect();
        prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{:?}", sizes);
        let again: Vec<_> = alike.iter().zip(&targets).map(|(member, target)| Subscriber { previous: target.clone(), ..member.clone() }).collect();
        prop_assert_eq!(Assignor::Uniform.assign(&again, &counts), targets, "nothing moves without need");
    }
}
