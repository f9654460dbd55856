//! An explanation as programs read it.

use domain::value::{Position, Timestamp};
use projections::access::Credential;
use projections::access::evidence::{Fact, FactName, SetBy};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::sentence::sentence;
use super::{Call, Judged, Question, Refusal};

/// Whether a call was allowed at a moment, why, and by which events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explanation {
    /// Whether the call is let through.
    allowed: bool,
    /// The stable reason when it is not, as the gateway answers it; null when it is.
    #[schema(required)]
    reason: Option<&'static str>,
    /// The same in one sentence for people, with the positions that decided it.
    sentence: String,
    /// The position whose view decided.
    #[schema(value_type = u64)]
    position: Position,
    /// The time that expiry was held against: the one asked for, or that of the event at the position.
    #[schema(value_type = OffsetDateTime)]
    time: Timestamp,
    /// The credential that was judged; null when a user had none.
    #[schema(required)]
    credential: Option<CredentialVerdict>,
    /// When a user was asked about: every key in their name, then every grant at the instance, the newest first. The user is allowed what one of
    /// them is.
    credentials: Vec<CredentialVerdict>,
    /// What the decision looked at, in its order, and where it comes from.
    facts: Vec<Evident>,
    /// What the log does not hold and was taken as given.
    assumed: Assumed,
}

/// The decision about one credential.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CredentialVerdict {
    /// What it is: `api_key`; `grant`, a token in the name of the user who consented; `client`, a token in the client's own name.
    kind: &'static str,
    /// Its id.
    id: Uuid,
    /// The public part of a key; null when it had not been issued, and for what is no key.
    #[schema(required)]
    key_id: Option<String>,
    /// The client that calls, when one does and was known.
    #[schema(required)]
    client: Option<Uuid>,
    /// Whether it is let through.
    allowed: bool,
    /// The stable reason when it is not; null when it is.
    #[schema(required)]
    reason: Option<&'static str>,
}

/// A fact and the event that changed it last.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Evident {
    /// Which fact.
    fact: &'static str,
    /// What it was; null also when there was nothing to have it.
    #[schema(required)]
    value: Value,
    /// Whether the answer hangs on it: all that had to hold when the call is allowed, what stood against it when it is not.
    decisive: bool,
    /// The event that changed it last; null when none ever did.
    #[schema(required)]
    set_by: Option<SetByEvent>,
}

/// An event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SetByEvent {
    /// Its position, which is also its id.
    #[schema(value_type = u64)]
    position: Position,
    /// Type of what it happened to.
    aggregate: String,
    /// Id of what it happened to.
    id: String,
    /// What happened.
    #[serde(rename = "type")]
    event_type: String,
    /// Who caused it; null when the event does not say.
    #[schema(required)]
    actor: Option<String>,
    /// When it was written.
    #[schema(value_type = OffsetDateTime)]
    recorded_at: Timestamp,
}

/// What the log does not hold.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Assumed {
    /// Whether the upstream calls the tool read-only: its annotation is not in the log.
    read_only: bool,
    /// Whether the question said so (`read_only`). When it did not, the tool was taken as one that writes, and a tool that only reads may be open to more.
    read_only_said: bool,
    /// That the caller's address is none that passes during a maintenance.
    address_passes_maintenance: bool,
}

impl CredentialVerdict {
    pub(super) fn of(judged: &Judged) -> Self {
        let view = &judged.evidence.view;
        let (key, client) = match judged.credential {
            Credential::Key(id) => (view.key_by_id(id), None),
            Credential::Grant(id) => (None, view.grant(id).map(|grant| grant.client.uuid())),
            Credential::Client(id) => (None, Some(id.uuid())),
        };
        Self {
            kind: judged.credential.kind(),
            id: judged.credential.uuid(),
            key_id: key.and_then(|key| view.public_part(key)).map(ToString::to_string),
            client,
            allowed: judged.verdict.is_ok(),
            reason: judged.verdict.as_ref().err().map(Refusal::code),
        }
    }
}

impl Explanation {
    pub(super) fn of(
        question: &Question,
        position: Position,
        time: Timestamp,
        judged: &Judged,
        credentials: Vec<CredentialVerdict>,
    ) -> Self {
        let refusal = judged.verdict.as_ref().err();
        let evident = |fact: &Fact| Evident {
            fact: fact.name.as_str(),
            value: fact.value.clone().unwrap_or_default(),
            decisive: super::sentence::decides(refusal, fact.name),
            set_by: fact.set_by.as_ref().map(SetByEvent::from),
        };
        Self {
            allowed: refusal.is_none(),
            reason: refusal.map(Refusal::code),
            sentence: sentence(question, Some(judged.credential), refusal, &judged.evidence.facts),
            position,
            time,
            credential: Some(CredentialVerdict::of(judged)),
            credentials,
            facts: judged.evidence.facts.iter().map(evident).collect(),
            assumed: Assumed::of(&question.call),
        }
    }

    /// There is nothing to judge: a user without any key or grant.
    pub(super) fn without_credential(question: &Question, position: Position, time: Timestamp) -> Self {
        let refusal = Refusal::NoCredential;
        Self {
            allowed: false,
            reason: Some(refusal.code()),
            sentence: sentence(question, None, Some(&refusal), &[]),
            position,
            time,
            credential: None,
            credentials: Vec::new(),
            facts: Vec::new(),
            assumed: Assumed::of(&question.call),
        }
    }

    /// Whether the call is let through.
    pub(crate) const fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// The lines that people read at the command line.
    pub(crate) fn text(&self) -> String {
        let Self { sentence, position, time, assumed, .. } = self;
        let head = format!("{sentence}\n\nas of position {position}, {time}\n{}", assumed.line());
        let credentials = self.credentials.iter().map(CredentialVerdict::line);
        std::iter::once(head).chain(credentials).chain(self.facts.iter().map(Evident::lines)).collect()
    }
}

impl CredentialVerdict {
    fn line(&self) -> String {
        format!("  {} {}: {}\n", self.kind, self.id, self.reason.unwrap_or("allowed"))
    }
}

impl Evident {
    fn lines(&self) -> String {
        let Self { fact, value, decisive, set_by } = self;
        let mark = if *decisive { '*' } else { ' ' };
        let from = set_by.as_ref().map_or_else(
            || "never set".to_owned(),
            |SetByEvent { position, aggregate, event_type, actor, recorded_at, .. }| {
                let actor = actor.as_deref().unwrap_or("nobody named");
                format!("#{position} {aggregate}.{event_type} by {actor} at {recorded_at}")
            },
        );
        format!("{mark} {fact:<21} {value}\n    {from}\n")
    }
}

impl Assumed {
    /// What an answer about this call rests on beside the log.
    pub(crate) fn of(call: &Call) -> Self {
        Self {
            read_only: call.is_read_only(),
            read_only_said: call.read_only.is_some(),
            address_passes_maintenance: false,
        }
    }

    fn line(&self) -> String {
        let tool = match (self.read_only, self.read_only_said) {
            (true, _) => "the tool is read-only, as was said",
            (false, true) => "the tool writes, as was said",
            (false, false) => {
                "the tool writes: nothing says that it is read-only; --read-only asks about one that is"
            }
        };
        format!("assumed, since the log does not hold it: {tool}\n")
    }
}

impl From<&SetBy> for SetByEvent {
    fn from(set_by: &SetBy) -> Self {
        let SetBy { position, aggregate_type, aggregate_id, event_type, actor, recorded_at } = set_by.clone();
        Self { position, aggregate: aggregate_type, id: aggregate_id, event_type, actor, recorded_at }
    }
}

/// Where a fact comes from.
pub(super) fn position_of(facts: &[Fact], name: FactName) -> Option<Position> {
    facts.iter().find(|fact| fact.name == name)?.set_by.as_ref().map(|set_by| set_by.position)
}
