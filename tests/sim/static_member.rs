//! What only static members do (KIP-345): one returns under its name with another id, and who still speaks by
//! the one before is told that it is not that member any more.

use crate::group::{Member, Person, SESSION_MS, heartbeat, join};
use crate::offsets::{Committer, commit};
use crate::world::Over;
use callboard_actors::clock;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::heartbeat::HeartbeatResponse;
use callboard_protocol::kafka::join_group::JoinGroupResponse;

impl Member {
    /// It was started again, and does not know its id any more.
    pub(crate) async fn return_to_its_place(&mut self) -> Result<(), Over> {
        self.change(|person| {
            let id = std::mem::take(&mut person.id);
            person.before = Some((id, person.generation));
            person.generation = 0;
            // Until it is in, the one before may be.
            person.is_certain = false;
        });
        self.join().await.map(drop)
    }

    /// The broker has given it an id under its name.
    pub(crate) fn take_place(&mut self, before: &Person, id: String) {
        let instance = before.instance.as_ref().unwrap();
        assert!(id.starts_with(&format!("{instance}-")), "{instance} got the id {id}");
        let had = before.before.as_ref().map(|(id, _)| id);
        assert_ne!(had, Some(&id), "it returned, and has its id of before");
        self.change(|person| person.id = id);
    }

    /// Somebody speaks by the id that the member had before it returned, as a process would that only slept.
    pub(crate) async fn speak_as_before(&mut self) -> Result<(), Over> {
        let person = self.person();
        let Some((member, generation)) = person.before.clone() else { return Ok(()) };
        let before = Committer { member, generation, ..self.committer() };
        let code = match self.client.below(3) {
            0 => commit(&self.client, &before, 0).await?,
            1 => self.client.ask::<_, JoinGroupResponse>(9, &join(&before)).await?.error_code,
            _ => self.client.ask::<_, HeartbeatResponse>(4, &heartbeat(&before)).await?.error_code,
        };
        self.client.check(code)?;
        let may_be_out = clock::wall_ms() - person.heard_ms >= i64::from(SESSION_MS);
        let is_told = code == ErrorCode::FENCED_INSTANCE_ID
            || (code == ErrorCode::UNKNOWN_MEMBER_ID && may_be_out)
            // Its place may not be taken yet.
            || !person.is_certain;
        assert!(is_told, "{code:?} for {before:?}, and now it is {person:?}");
        Ok(())
    }
}
