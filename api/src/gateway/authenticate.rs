//! Who calls: an API key in `x-api-key`, or nobody in particular on loopback where an instance is open to that.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use domain::policy::{self, Caller, Denial, Facts, KeyFacts, Target, Wish};
use domain::value::{InstanceId, KeyText, PresentedSecret};
use http::{HeaderMap, HeaderName, header};
use projections::access::{AccessView, Instance, Key};

use super::Gateway;
use super::recorded::CallRecording;
use super::refusal::Refusal;

pub(super) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A proxy on this machine says with one of these that it speaks for somebody elsewhere.
const FORWARDED: [HeaderName; 4] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
    header::VIA,
];

/// Somebody who was let in so far as to be asked what they want.
#[derive(Debug, Clone)]
pub(super) struct AuthenticatedCaller {
    /// The key, or nothing for a caller on loopback without any credential.
    pub(super) key: Option<Arc<Key>>,
    /// Where the call comes from.
    pub(super) address: IpAddr,
}

impl AuthenticatedCaller {
    /// The facts about this caller in a view.
    pub(super) fn facts<'a>(&'a self, view: &AccessView) -> Caller<'a> {
        match &self.key {
            Some(key) => Caller::Key(view.key_facts(key)),
            None => Caller::Loopback,
        }
    }

    /// The same caller as this view knows them: their key may have been revoked since.
    pub(super) fn in_view(self, view: &AccessView) -> Self {
        let key = self.key.map(|key| view.key_now(&key).map_or(key, Arc::clone));
        Self { key, ..self }
    }

    /// Whom sessions and upstream state belong to. Not the credential: a rotated key keeps its sessions.
    pub(super) fn principal(&self) -> String {
        self.key
            .as_ref()
            .map_or_else(|| "loopback".to_owned(), |key| format!("{}/{}", key.organization, key.principal))
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
        recording: &CallRecording,
    ) -> Result<AuthenticatedCaller, Refusal> {
        self.0.origins.check(headers).map_err(Refusal::origin)?;
        let address = peer.ip().to_canonical();
        let Some(text) = one_credential(headers)? else {
            let here = self.0.loopback_open
                && address.is_loopback()
                && !FORWARDED.iter().any(|name| headers.contains_key(name));
            if here && let Some(instance) = self.open_to_loopback(view, instance) {
                recording.say(|draft| draft.loopback(view, instance));
                return Ok(AuthenticatedCaller { key: None, address });
            }
            return Err(Refusal::no_credential()); // wherever it is asked: what exists is not told without a credential
        };
        let parsed = KeyText::parse(text).map_err(|error| Refusal::bad_credential(error.code()))?;
        let key = view.key(parsed.key_id()).ok_or_else(|| Refusal::bad_credential("key-unknown"))?;
        if !self.0.keys.matches(&PresentedSecret::new(text.to_owned()), &key.digest) {
            return Err(Refusal::bad_credential("key-unknown")); // the same answer: nobody learns which ids exist
        }
        let facts: KeyFacts<'_> = view.key_facts(key);
        recording.say(|draft| draft.caller(view, key, instance));
        let now = self.0.clock.now();
        policy::authenticates(&facts, now).map_err(|denial| {
            recording.say(|draft| draft.denied(view, now, &denial));
            Refusal::unauthenticated(denial)
        })?;
        self.0.budget.take(key.id).map_err(Refusal::rate_limited)?;
        Ok(AuthenticatedCaller { key: Some(Arc::clone(key)), address })
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

/// The one credential of a request. Two of them, even two equal ones, are refused: whichever counted would be a guess.
fn one_credential(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut keys = headers.get_all(X_API_KEY).iter();
    let (first, second) = (keys.next(), keys.next());
    let bearer = headers.get_all(header::AUTHORIZATION).iter().next();
    match (first, second, bearer) {
        (_, Some(_), _) | (Some(_), _, Some(_)) => Err(Refusal::two_credentials()),
        (None, None, Some(_)) => Err(Refusal::bad_credential("authorization-not-accepted")),
        (None, None, None) => Ok(None),
        (Some(key), None, None) => {
            key.to_str().map(|text| Some(text.trim())).map_err(|_| Refusal::bad_credential("not-a-key"))
        }
    }
}
