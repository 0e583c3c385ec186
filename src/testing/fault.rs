//! Faults: what goes wrong, for which requests, and how often.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Something that goes wrong with requests of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    operation: Option<String>,
    effect: Effect,
    times: usize,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The request is not done, and answered with that code: Kafka's, or the native protocol's. An
    /// operation that has no such answer is done.
    Refuse(i16),
    /// The request is done, and its answer comes that much later.
    Delay(Duration),
    /// The request is not done, and its connection is closed.
    Close,
    /// The request is done, and its connection is closed in the place of the answer.
    LoseAnswer,
}

impl Fault {
    /// Happens to the next request, whatever it asks for.
    pub fn new(effect: Effect) -> Self {
        Self { operation: None, effect, times: 1 }
    }

    /// Happens to requests of one operation only, by its name: `Produce`, `Fetch`, `JoinGroup`. With a name
    /// that none has it never happens.
    #[must_use]
    pub fn on(self, operation: impl Into<String>) -> Self {
        Self { operation: Some(operation.into()), ..self }
    }

    /// Happens so many times instead of once.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }
}

/// The faults of a broker that have not happened yet, in their order.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    faults: VecDeque<Fault>,
    happened: usize,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        if fault.times > 0 {
            self.lock().faults.push_back(fault);
        }
    }

    pub(crate) fn happened(&self) -> usize {
        self.lock().happened
    }

    /// What goes wrong with a request of that operation.
    pub(crate) fn take(&self, operation: &str) -> Option<Effect> {
        let mut waiting = self.lock();
        let is_meant = |fault: &Fault| fault.operation.as_deref().is_none_or(|it| it == operation);
        let place = waiting.faults.iter().position(is_meant)?;
        let fault = waiting.faults.get_mut(place)?;
        fault.times -= 1;
        let (effect, times) = (fault.effect, fault.times);
        if times == 0 {
            waiting.faults.remove(place);
        }
        waiting.happened += 1;
        Some(effect)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_happen_in_their_order_to_whom_they_are_meant_for() {
        let faults = Faults::default();
        faults.add(Fault::new(Effect::Close).on("Fetch"));
        faults.add(Fault::new(Effect::LoseAnswer).times(2));
        faults.add(Fault::new(Effect::Close).times(0));
        assert_eq!(faults.take("Produce"), Some(Effect::LoseAnswer));
        assert_eq!(faults.take("Fetch"), Some(Effect::Close));
        assert_eq!(faults.take("Fetch"), Some(Effect::LoseAnswer));
        assert_eq!(faults.take("Fetch"), None);
        assert_eq!(faults.happened(), 3);
    }
}
