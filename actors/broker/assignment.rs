//! Partitions that a client assigns to brokers by hand: on a single broker all must be its own.

/// Replicas of one partition as a client gives them.
pub type Replicas = Vec<i32>;

/// Why an assignment is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// A broker that is not there.
    #[error("The manual partition assignment includes broker {0}, but no such broker is registered.")]
    UnknownBroker(i32),
    /// A broker twice.
    #[error("The manual partition assignment includes the broker {0} more than once.")]
    Twice(i32),
    /// No broker at all.
    #[error("The manual partition assignment includes an empty replica list.")]
    Empty,
    /// The numbers of the partitions have gaps, or do not start at 0.
    #[error("partitions should be a consecutive 0-based integer sequence")]
    Gap,
    /// A partition twice.
    #[error("Found multiple manual partition assignments for partition {0}")]
    Partition(i32),
    /// Not as many assignments as new partitions.
    #[error(
        "Attempted to add {added} additional partition(s), but only {given} assignment(s) were specified."
    )]
    Count {
        /// Partitions to add.
        added: usize,
        /// Assignments given.
        given: usize,
    },
    /// More assignments than new partitions.
    #[error("{given} assignment(s) were specified, but only {added} additional partition(s)")]
    Surplus {
        /// Partitions to add.
        added: usize,
        /// Assignments given.
        given: usize,
    },
}

/// Checks the assignments of a new topic's partitions, given with their numbers.
///
/// # Errors
/// The first rule that one breaks.
pub fn check_numbered(assignments: &[(i32, Replicas)], node_id: i32) -> Result<(), AssignmentError> {
    let mut seen = std::collections::BTreeSet::new();
    for (partition, replicas) in assignments {
        if !seen.insert(*partition) {
            return Err(AssignmentError::Partition(*partition));
        }
        check_replicas(replicas, node_id)?;
    }
    if !seen.into_iter().eq(0..assignments.len() as i32) {
        return Err(AssignmentError::Gap);
    }
    Ok(())
}

/// Checks the replicas of one partition.
///
/// # Errors
/// The first rule that they break.
pub fn check_replicas(replicas: &[i32], node_id: i32) -> Result<(), AssignmentError> {
    if replicas.is_empty() {
        return Err(AssignmentError::Empty);
    }
    let own = replicas.iter().filter(|replica| **replica == node_id).count();
    let unknown = replicas.iter().filter(|replica| **replica != node_id).min();
    match unknown {
        // Kafka looks at them in the order of their numbers, and says the first thing that is wrong.
        Some(unknown) if own < 2 || *unknown < node_id => Err(AssignmentError::UnknownBroker(*unknown)),
        None if own < 2 => Ok(()),
        Some(_) | None => Err(AssignmentError::Twice(node_id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_must_name_this_broker_once_for_partitions_from_zero() {
        let check = |assignments: &[(i32, &[i32])]| {
            let owned: Vec<_> =
                assignments.iter().map(|(partition, replicas)| (*partition, replicas.to_vec())).collect();
            check_numbered(&owned, 1)
        };
        assert_eq!(check(&[(1, &[1]), (0, &[1])]), Ok(()));
        assert_eq!(check(&[(0, &[99])]), Err(AssignmentError::UnknownBroker(99)));
        assert_eq!(check(&[(0, &[1, 1])]), Err(AssignmentError::Twice(1)));
        assert_eq!(check(&[(0, &[99, 1, 1])]), Err(AssignmentError::Twice(1)));
        assert_eq!(check(&[(0, &[1, 1, -1])]), Err(AssignmentError::UnknownBroker(-1)));
        assert_eq!(check(&[(0, &[99, 98, 1])]), Err(AssignmentError::UnknownBroker(98)));
        assert_eq!(check(&[(0, &[])]), Err(AssignmentError::Empty));
        assert_eq!(check(&[(1, &[1])]), Err(AssignmentError::Gap));
        assert_eq!(check(&[(0, &[1]), (2, &[1])]), Err(AssignmentError::Gap));
        assert_eq!(check(&[(-1, &[1])]), Err(AssignmentError::Gap));
        assert_eq!(check(&[(0, &[1]), (0, &[1])]), Err(AssignmentError::Partition(0)));
    }
}
