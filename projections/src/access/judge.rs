//! The decision about a call over a view, in the order of the gateway: what was shown, then where it goes, then what it wishes for.
//!
//! One way around `domain::policy::decide` for whoever looks back or ahead: records that are judged again, explanations, proposals. The view may be of
//! any moment. Deliberately absent: what no view holds, which is rates, the state of upstreams, and the texts of keys and tokens.

use domain::policy::{self, Caller, Denial, Facts, Target, Wish};
use domain::value::{ApiKeyId, InstanceId, Timestamp};

use super::{AccessView, TokenClaims};

/// What a caller shows, already known to be genuine.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'a> {
    /// Nothing, on loopback.
    Nothing,
    /// An API key.
    Key(ApiKeyId),
    /// An access token.
    Token {
        /// What it says.
        says: &'a TokenClaims,
        /// The key that signed it; `None` for one that would be signed now.
        kid: Option<&'a str>,
    },
}

/// What somebody wants of an instance.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What they show.
    pub shown: Shown<'a>,
    /// The instance; none where the address names none.
    pub instance: Option<InstanceId>,
    /// What for.
    pub wish: Wish<'a>,
    /// Whether the caller's address passes a maintenance.
    pub passes_maintenance: bool,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// The view knows no such key.
    KeyUnknown,
    /// The policy says no.
    Denied(Denial),
}

impl AccessView {
    /// Decides about a call.
    pub fn judge(&self, wanted: &Wanted<'_>, now: Timestamp) -> Result<(), Unfit> {
        let caller = self.admit(wanted.shown, wanted.instance, now)?;
        let instance = wanted.instance.and_then(|id| self.instance(id));
        let instance = instance.ok_or(Unfit::Denied(Denial::InstanceUnknown))?;
        let facts = Facts {
            caller,
            target: Target::Instance(self.instance_facts(instance)),
            maintenance: self.deployment().maintenance.is_some() && !wanted.passes_maintenance,
            now,
        };
        policy::decide(&facts, wanted.wish).map(|_| ()).map_err(Unfit::Denied)
    }

    /// The credential alone, as it is checked at an address before anything else of a call is read.
    pub fn admit<'a>(
        &'a self,
        shown: Shown<'a>,
        instance: Option<InstanceId>,
        now: Timestamp,
    ) -> Result<Caller<'a>, Unfit> {
        match shown {
            Shown::Nothing => Ok(Caller::Loopback),
            Shown::Key(id) => {
                let facts = self.key_facts(self.key_by_id(id).ok_or(Unfit::KeyUnknown)?);
                policy::authenticates(&facts, now).map_err(Unfit::Denied)?;
                Ok(Caller::Key(facts))
            }
            Shown::Token { says, kid } => {
                let is_published = kid.is_none_or(|kid| self.signing_key(kid).is_some());
                let facts = self.token_facts(says).filter(|_| is_published);
                let facts = facts.ok_or(Unfit::Denied(Denial::TokenRevoked))?;
                if instance != Some(facts.instance) {
                    return Err(Unfit::Denied(Denial::BoundToOtherInstance));
                }
                policy::token_authenticates(&facts, now).map_err(Unfit::Denied)?;
                Ok(Caller::Token(facts))
            }
        }
    }
}
