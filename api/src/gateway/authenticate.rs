//! Who calls: an API key in `x-api-key`, an access token behind `Authorization: Bearer`, or nobody in particular on loopback where an instance is
//! open to that.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use domain::policy::{self, Caller, Denial, Facts, KeyFacts, Target, Wish};
use domain::value::{InstanceId, OrganizationId, Scopes, Timestamp};
use http::HeaderMap;
use projections::access::{AccessView, Instance, Key, Parties, TokenHolder};
use uuid::Uuid;

use super::Gateway;
use super::recorded::CallRecording;
use super::refusal::Refusal;
use super::shown::Shown;
use super::tokens::CheckedToken;
use crate::limits::{Subject, Subscriber, Surface, speaks_for_another};

/// Somebody who was let in so far as to be asked what they want.
#[derive(Debug, Clone)]
pub(super) struct AuthenticatedCaller {
    /// What they showed.
    pub(super) credential: Credential,
    /// The organization that their credential is of.
    pub(super) organization: Option<OrganizationId>,
    /// Where the call comes from.
    pub(super) address: IpAddr,
}

/// What a caller showed, and it was good.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    /// An API key.
    Key(Arc<Key>),
    /// An access token.
    Token(Arc<CheckedToken>),
    /// Nothing, on loopback.
    Loopback,
}

impl AuthenticatedCaller {
    /// The facts about this caller in a view. What a view does not know of a token any more, or not yet, is no ground to let it in.
    pub(super) fn facts<'a>(&'a self, view: &'a AccessView) -> Result<Caller<'a>, Denial> {
        match &self.credential {
            Credential::Key(key) => Ok(Caller::Key(view.key_facts(key))),
            Credential::Token(token) => token.facts(view).map(Caller::Token),
            Credential::Loopback => Ok(Caller::Loopback),
        }
    }

    /// The same caller as this view knows them: their key may have been revoked since. What a token says never changes.
    pub(super) fn in_view(self, view: &AccessView) -> Self {
        let credential = match self.credential {
            Credential::Key(key) => Credential::Key(view.key_now(&key).map_or(key, Arc::clone)),
            other @ (Credential::Token(_) | Credential::Loopback) => other,
        };
        Self { credential, ..self }
    }

    /// Whom a decision about them is about, at an instance.
    pub(super) fn parties(&self, instance: Option<InstanceId>) -> Parties {
        match &self.credential {
            Credential::Key(key) => Parties { key: Some(key.id), instance, ..Parties::default() },
            Credential::Token(token) => Parties { instance, ..Parties::of_token(&token.token.says) },
            Credential::Loopback => Parties { instance, ..Parties::default() },
        }
    }

    /// When their credential ends by itself, if it does.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        match &self.credential {
            Credential::Key(key) => key.expires_at,
            Credential::Token(token) => Some(token.token.says.expires_at),
            Credential::Loopback => None,
        }
    }

    /// Organizations whose events can take something from them.
    pub(super) fn organizations(&self, view: &AccessView) -> Vec<OrganizationId> {
        let client = match &self.credential {
            Credential::Token(token) => {
                view.client(token.token.says.client).and_then(|client| client.organization)
            }
            Credential::Key(_) | Credential::Loopback => None,
        };
        self.organization.into_iter().chain(client).collect()
    }

    /// What a token of theirs may do: a refusal for want of scope names it beside what is missing, so that one more consent is enough.
    pub(super) fn token_scopes(&self) -> Option<&Scopes> {
        match &self.credential {
            Credential::Token(token) => Some(&token.token.says.scopes),
            Credential::Key(_) | Credential::Loopback => None,
        }
    }

    /// Whom sessions and upstream state belong to. Not the credential: a rotated key keeps its sessions, and so does whoever refreshes a token. But
    /// what one client of a user opened is not another client's.
    pub(super) fn principal(&self) -> String {
        match &self.credential {
            Credential::Key(key) => format!("{}/{}", key.organization, key.principal),
            Credential::Token(token) => {
                let says = &token.token.says;
                match says.holder {
                    TokenHolder::User { user, .. } => format!("{}/{user}/{}", says.instance, says.client),
                    TokenHolder::Client => format!("{}/client/{}", says.instance, says.client),
                }
            }
            Credential::Loopback => "loopback".to_owned(),
        }
    }
}

impl CheckedToken {
    fn facts<'a>(&'a self, view: &'a AccessView) -> Result<policy::TokenFacts<'a>, Denial> {
        let is_published = view.signing_key(self.kid.as_str()).is_some();
        view.token_facts(&self.token.says).filter(|_| is_published).ok_or(Denial::TokenRevoked)
    }

    /// Under which id its calls are counted and recorded: its grant, or its client when that acts for itself.
    pub(super) fn credential_id(&self) -> Uuid {
        match self.token.says.holder {
            TokenHolder::User { grant, .. } => grant.uuid(),
            TokenHolder::Client => self.token.says.client.uuid(),
        }
    }
}

impl Gateway {
    /// Checks origin and credential. Everything is refused here that can be refused without reading the body.
    pub(super) fn authenticate(
        &self,
        view: &AccessView,
        instance: Option<InstanceId>,
        headers: &HeaderMap,
        peer: SocketAddr,
        shown: Result<Shown<'_>, Refusal>,
        recording: &CallRecording,
    ) -> Result<AuthenticatedCaller, Refusal> {
        self.0.origins.check(headers).map_err(Refusal::origin)?;
        let address = peer.ip().to_canonical();
        match shown? {
            Shown::Nothing => {
                let here = self.0.loopback_open && address.is_loopback() && !speaks_for_another(headers);
                if here && let Some(instance) = self.open_to_loopback(view, instance) {
                    recording.say(|draft| draft.loopback(view, instance));
                    let credential = Credential::Loopback;
                    return Ok(AuthenticatedCaller { credential, organization: None, address });
                }
                Err(Refusal::no_credential()) // wherever it is asked: what exists is not told without a credential
            }
            Shown::Key { secret, text } => {
                let key = view.key(text.key_id()).ok_or_else(|| Refusal::bad_credential("key-unknown"))?;
                if !self.0.keys.matches(&secret, &key.digest) {
                    return Err(Refusal::bad_credential("key-unknown")); // the same answer: nobody learns which ids exist
                }
                let facts: KeyFacts<'_> = view.key_facts(key);
                recording.say(|draft| draft.caller(view, key, instance));
                let now = self.0.clock.now();
                policy::authenticates(&facts, now).map_err(|denial| {
                    recording.say(|draft| draft.denied(view, now, &denial));
                    Refusal::unauthenticated(denial)
                })?;
                self.count(key.id.uuid(), key.organization)?;
                let (credential, organization) = (Credential::Key(Arc::clone(key)), Some(key.organization));
                Ok(AuthenticatedCaller { credential, organization, address })
            }
            Shown::Token(token) => self.authenticate_token(view, instance, address, token, recording),
        }
    }

    /// A token that we signed: whether its time is now, whether it is for this place, and whether everything that it rests on still stands.
    fn authenticate_token(
        &self,
        view: &AccessView,
        instance: Option<InstanceId>,
        address: IpAddr,
        token: Arc<CheckedToken>,
        recording: &CallRecording,
    ) -> Result<AuthenticatedCaller, Refusal> {
        let now = self.0.clock.now();
        token.token.must_be_current(now).map_err(Refusal::bad_token)?;
        let refused = |denial: Denial| {
            recording.say(|draft| draft.denied(view, now, &denial));
            Refusal::unauthenticated(denial)
        };
        if let Some(audience) = view.instance(token.token.says.instance) {
            recording.say(|draft| draft.token(view, &token, audience.organization, instance));
        }
        let facts = token.facts(view).map_err(refused)?;
        if instance != Some(facts.instance) {
            recording.say(|draft| draft.denied(view, now, &Denial::BoundToOtherInstance));
            return Err(Refusal::wrong_audience()); // of what is there instead, nothing is told
        }
        policy::token_authenticates(&facts, now).map_err(refused)?;
        let organization = Some(facts.organization);
        self.count(token.credential_id(), facts.organization)?;
        Ok(AuthenticatedCaller { credential: Credential::Token(token), organization, address })
    }

    /// Counts a credential that is good, and the organization that it is for.
    fn count(&self, credential: Uuid, organization: OrganizationId) -> Result<(), Refusal> {
        for subject in [Subject::Client(credential), Subject::Organization(organization.uuid())] {
            self.0.limits.take(Surface::Mcp, subject).map_err(Refusal::rate_limited)?;
        }
        Ok(())
    }

    /// Counts whoever asks, before anything of the request is looked at.
    pub(super) fn count_address(&self, peer: SocketAddr, headers: &HeaderMap) -> Result<(), Refusal> {
        let caller = self.0.limits.caller(peer.ip(), headers);
        let counted = self.0.limits.take(Surface::Mcp, Subject::Address(Subscriber::of(caller)));
        counted.map(|_| ()).map_err(Refusal::rate_limited)
    }

    /// The instance, if it takes callers on loopback without a credential. What else stands against the call is decided with the call.
    fn open_to_loopback<'a>(
        &self,
        view: &'a AccessView,
        instance: Option<InstanceId>,
    ) -> Option<&'a Arc<Instance>> {
        let instance = instance.and_then(|id| view.instance(id))?;
        let target = Target::Instance(view.instance_facts(instance));
        let facts = Facts { caller: Caller::Loopback, target, maintenance: false, now: self.0.clock.now() };
        let closed = policy::decide(&facts, Wish::Connect);
        let closed = matches!(closed, Err(Denial::AuthenticationNotAccepted | Denial::InstanceUnknown));
        (!closed).then_some(instance)
    }
}
