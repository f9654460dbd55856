//! What a connection was authorized for at the authorization server of its upstream.
//!
//! ```text
//!   none --authorize--> live --lose--> lost      each may be authorized anew, and withdrawn to none
//!                        `--want--> live, asked once more
//! ```
//! Scopes that an upstream wants are noted a few times for one authorization and no more: whoever answers each token with the wish for another scope
//! neither fills the log nor leads anybody in circles.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::event::Authorized;
use super::{AUTHORIZATION_SCOPES_MAX, AuthorizationEnd, ConnectionError, ConnectionEvent};
use crate::value::{AuthorizationId, AuthorizationServer, ProviderScope};

/// How often more is asked for before somebody has allowed it.
const ASKED_MAX: u8 = 3;

/// How far it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Authorization {
    /// There is none.
    #[default]
    None,
    /// It is used.
    Live {
        /// Under which id its tokens are kept.
        id: AuthorizationId,
        /// Who gave them out.
        issuer: AuthorizationServer,
        /// What was allowed, and what is wanted.
        scopes: BTreeSet<ProviderScope>,
        /// How often more was wanted.
        asked: u8,
    },
    /// It is of no use any more.
    Lost {
        /// Which one it was.
        id: AuthorizationId,
        /// Who gave it out.
        issuer: AuthorizationServer,
        /// What was allowed, and wanted.
        scopes: BTreeSet<ProviderScope>,
    },
}

impl Authorization {
    /// What was allowed and is wanted, and where.
    pub(super) const fn asked_for(&self) -> Option<(&AuthorizationServer, &BTreeSet<ProviderScope>)> {
        match self {
            Self::None => None,
            Self::Live { issuer, scopes, .. } | Self::Lost { issuer, scopes, .. } => Some((issuer, scopes)),
        }
    }

    const fn id(&self) -> Option<AuthorizationId> {
        match self {
            Self::None => None,
            Self::Live { id, .. } | Self::Lost { id, .. } => Some(*id),
        }
    }

    pub(super) fn authorize(&self, authorized: &Authorized) -> Result<Vec<ConnectionEvent>, ConnectionError> {
        let Authorized { authorization, grant, by, issuer, scopes, renewable, expires_at } =
            authorized.clone();
        if self.id() == Some(authorization) {
            return Err(ConnectionError::AuthorizationUsed);
        }
        if scopes.len() > AUTHORIZATION_SCOPES_MAX {
            return Err(ConnectionError::TooManyScopes);
        }
        Ok(vec![ConnectionEvent::Authorized {
            authorization,
            grant,
            by,
            issuer,
            scopes,
            renewable,
            expires_at,
        }])
    }

    /// What is wanted of another authorization than the one in use is wanted of nobody.
    pub(super) fn want(
        &self,
        authorization: AuthorizationId,
        wanted: &BTreeSet<ProviderScope>,
    ) -> Vec<ConnectionEvent> {
        let Self::Live { id, scopes, asked, .. } = self else { return vec![] };
        let all: BTreeSet<_> = scopes.union(wanted).cloned().collect();
        let is_news = *id == authorization && all.len() > scopes.len();
        if !is_news || *asked >= ASKED_MAX || all.len() > AUTHORIZATION_SCOPES_MAX {
            return vec![];
        }
        vec![ConnectionEvent::ScopesWanted { authorization, scopes: all }]
    }

    pub(super) fn lose(
        &self,
        authorization: AuthorizationId,
        reason: AuthorizationEnd,
    ) -> Vec<ConnectionEvent> {
        match self {
            Self::Live { id, .. } if *id == authorization => {
                vec![ConnectionEvent::AuthorizationLost { authorization, reason }]
            }
            Self::None | Self::Live { .. } | Self::Lost { .. } => vec![],
        }
    }

    pub(super) fn withdraw(&self) -> Vec<ConnectionEvent> {
        let withdrawn = |authorization| ConnectionEvent::AuthorizationWithdrawn { authorization };
        self.id().map(withdrawn).into_iter().collect()
    }

    pub(super) fn wanted(&mut self, all: BTreeSet<ProviderScope>) {
        match self {
            Self::Live { scopes, asked, .. } => (*scopes, *asked) = (all, asked.saturating_add(1)),
            Self::None | Self::Lost { .. } => {}
        }
    }

    pub(super) fn lost(&mut self) {
        if let Self::Live { id, issuer, scopes, .. } = self {
            *self = Self::Lost { id: *id, issuer: issuer.clone(), scopes: std::mem::take(scopes) };
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::{Connection, ConnectionCommand as Ask, ConnectionEvent as Did, ConnectionOwner};
    use super::*;
    use crate::given::{Given, given};
    use crate::server::UpstreamGrant;
    use crate::value::{DisplayName, OrganizationId, ServerId};

    const FIRST: AuthorizationId = AuthorizationId::new(Uuid::from_u128(7));
    const SECOND: AuthorizationId = AuthorizationId::new(Uuid::from_u128(8));

    fn scopes(texts: &[&str]) -> BTreeSet<ProviderScope> {
        texts.iter().map(|text| ProviderScope::parse(text).unwrap()).collect()
    }

    fn terms(authorization: AuthorizationId, of: &[&str]) -> Authorized {
        let (grant, issuer) =
            (UpstreamGrant::AuthorizationCode, AuthorizationServer::parse("https://id.example.com").unwrap());
        let (by, renewable, expires_at) = (None, true, None);
        Authorized { authorization, grant, by, issuer, scopes: scopes(of), renewable, expires_at }
    }

    fn authorized(id: AuthorizationId, of: &[&str]) -> Did {
        let Authorized { authorization, grant, by, issuer, scopes, renewable, expires_at } = terms(id, of);
        Did::Authorized { authorization, grant, by, issuer, scopes, renewable, expires_at }
    }

    fn connection(then: Vec<Did>) -> Given<Connection> {
        let mut past = vec![Did::Created {
            organization: OrganizationId::new(Uuid::from_u128(1)),
            owner: ConnectionOwner::Organization,
            server: ServerId::new(Uuid::from_u128(2)),
            name: DisplayName::parse("Wiki").unwrap(),
        }];
        past.extend(then);
        given(past)
    }

    fn want(id: AuthorizationId, of: &[&str]) -> Ask {
        Ask::WantScopes { authorization: id, scopes: scopes(of) }
    }

    fn lose(id: AuthorizationId) -> Ask {
        Ask::LoseAuthorization { authorization: id, reason: AuthorizationEnd::Expired }
    }

    #[test]
    fn what_was_kept_under_one_id_is_not_put_in_force_twice() {
        let live = connection(vec![authorized(FIRST, &["read"])]);
        live.when(Ask::Authorize(terms(FIRST, &["read"]))).refused(&ConnectionError::AuthorizationUsed);
        live.when(Ask::Authorize(terms(SECOND, &["read"]))).then(&[authorized(SECOND, &["read"])]);
    }

    #[test]
    fn a_removed_connection_is_neither_authorized_nor_loses_anything() {
        let removed = connection(vec![authorized(FIRST, &[]), Did::Removed {}]);
        removed.when(Ask::Authorize(terms(SECOND, &[]))).refused(&ConnectionError::Removed);
        removed.when(lose(FIRST)).refused(&ConnectionError::Removed);
        removed.when(Ask::WithdrawAuthorization).refused(&ConnectionError::Removed);
    }

    #[test]
    fn more_than_anybody_is_asked_for_is_refused() {
        let names: Vec<String> = (0..=AUTHORIZATION_SCOPES_MAX).map(|n| format!("s{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        connection(vec![])
            .when(Ask::Authorize(terms(FIRST, &names)))
            .refused(&ConnectionError::TooManyScopes);
        connection(vec![authorized(FIRST, &[])]).when(want(FIRST, &names)).then(&[]);
    }

    #[test]
    fn an_authorization_that_is_not_in_use_is_neither_lost_nor_too_little() {
        for past in [
            vec![],
            vec![authorized(FIRST, &[]), authorized(SECOND, &[])],
            vec![authorized(FIRST, &[]), Did::AuthorizationWithdrawn { authorization: FIRST }],
        ] {
            connection(past.clone()).when(lose(FIRST)).then(&[]);
            connection(past).when(want(FIRST, &["more"])).then(&[]);
        }
    }

    #[test]
    fn more_scopes_are_wanted_beside_those_of_before_and_not_for_ever() {
        let wanted = |of: &[&str]| Did::ScopesWanted { authorization: FIRST, scopes: scopes(of) };
        let live = authorized(FIRST, &["read"]);
        connection(vec![live.clone()]).when(want(FIRST, &["read"])).then(&[]);
        connection(vec![live.clone()]).when(want(FIRST, &["write"])).then(&[wanted(&["read", "write"])]);
        let often =
            vec![live, wanted(&["a", "read"]), wanted(&["a", "b", "read"]), wanted(&["a", "b", "c", "read"])];
        connection(often.clone()).when(want(FIRST, &["d"])).then(&[]);
        let mut renewed = often;
        renewed.push(authorized(SECOND, &["read"]));
        connection(renewed)
            .when(want(SECOND, &["d"]))
            .then(&[Did::ScopesWanted { authorization: SECOND, scopes: scopes(&["d", "read"]) }]);
    }

    #[test]
    fn it_is_lost_once_and_withdrawn_once() {
        let lost = Did::AuthorizationLost { authorization: FIRST, reason: AuthorizationEnd::Expired };
        let withdrawn = Did::AuthorizationWithdrawn { authorization: FIRST };
        connection(vec![authorized(FIRST, &[])]).when(lose(FIRST)).then(std::slice::from_ref(&lost));
        connection(vec![authorized(FIRST, &[]), lost.clone()]).when(lose(FIRST)).then(&[]);
        connection(vec![authorized(FIRST, &[]), lost.clone()])
            .when(Ask::WithdrawAuthorization)
            .then(std::slice::from_ref(&withdrawn));
        connection(vec![authorized(FIRST, &[]), lost, withdrawn]).when(Ask::WithdrawAuthorization).then(&[]);
    }
}
