//! Renewing tokens: one request for all nodes and all calls that wait for it.
//!
//! ```text
//!   who comes first on this node --> takes the row's turn --> asks --> keeps what came, for all nodes
//!   others on this node wait for it; other nodes look at the row until it was renewed, or the turn is free again
//! ```
//! A refresh token that is spent twice ends everything that came of it (RFC 9700, 4.14.2), so nobody spends one without the turn, and whoever has
//! begun goes on though the call that wanted it is gone. Where the answer is lost all the same, what the authorization server makes of the next
//! attempt decides.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use commands::connection::LoseAuthorization;
use commands::{Actor, Order, Ports, UseCase, carry_out};
use domain::connection::AuthorizationEnd;
use domain::server::UpstreamGrant;
use domain::value::{AuthorizationId, ConnectionId};
use tokio::sync::oneshot;

use super::kept::{Held, Kept, RowError};
use super::tokens::{Counter, NotGiven, Tokens};
use super::{REMEMBERED_MAX, UpstreamOauth};
use crate::gateway::NoUpstreamToken;
use crate::random;

/// How long a call waits for another node.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// An authorization server that does not answer is left alone for so long.
const REST: Duration = Duration::from_secs(5);
/// What came is kept, however often that takes within the turn.
const KEEP_ATTEMPTS_MAX: u32 = 8;
const GATES_MAX: usize = 1_000;

/// Who renews on this node, and when that failed last: one at a time for each authorization.
#[derive(Debug, Default)]
pub(super) struct Gates(Mutex<HashMap<AuthorizationId, Gate>>);

type Gate = Arc<tokio::sync::Mutex<Option<Instant>>>;

impl Gates {
    fn of(&self, id: AuthorizationId) -> Gate {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= GATES_MAX {
            gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        }
        Arc::clone(gates.entry(id).or_default())
    }
}

/// Why there is no newer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotRenewed {
    /// A person must authorize the connection again.
    Needed,
    /// Another node has the turn, or had it meanwhile.
    Elsewhere,
    /// We have asked, or wanted to, and nobody answered.
    Unanswered,
}

/// For whom a token is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// A call that waits.
    Call,
    /// Calls to come.
    Later,
}

impl<P: Ports + 'static> UpstreamOauth<P> {
    /// Renews what was renewed so often, unless somebody has meanwhile. It goes on though nobody waits for it.
    pub(super) async fn renewed(
        &self,
        connection: ConnectionId,
        id: AuthorizationId,
        rotation: i64,
    ) -> Result<Held, NoUpstreamToken> {
        let (tell, told) = oneshot::channel();
        let this = self.clone();
        self.0.parts.tasks.spawn(async move {
            let _ = tell.send(this.renew(connection, id, rotation, For::Call).await);
        });
        told.await.unwrap_or(Err(NoUpstreamToken::Unavailable))
    }

    /// The same for calls to come: they go on with what there is.
    pub(super) fn renew_ahead(&self, connection: ConnectionId, id: AuthorizationId, rotation: i64) {
        if self.0.gates.of(id).try_lock().is_err() {
            return; // under way
        }
        let this = self.clone();
        self.0.parts.tasks.spawn(async move {
            let _ = this.renew(connection, id, rotation, For::Later).await;
        });
    }

    async fn renew(
        &self,
        connection: ConnectionId,
        id: AuthorizationId,
        rotation: i64,
        whom: For,
    ) -> Result<Held, NoUpstreamToken> {
        let gate = self.0.gates.of(id);
        let mut failed_at = gate.lock().await;
        if let Some(held) = self.remembered(id).filter(|held| held.rotation > rotation) {
            return Ok(held);
        }
        if failed_at.is_some_and(|failed| failed.elapsed() < REST) {
            // Another node may have had more luck.
            let held = self.rows().open(id).await.map_err(|error| unreadable(&error))?;
            let renewed = held.filter(|held| held.rotation > rotation);
            return renewed.inspect(|held| self.remember(id, held)).ok_or(NoUpstreamToken::Unavailable);
        }
        let renewed = self.in_turn(connection, id, rotation, whom).await;
        *failed_at = match renewed {
            Ok(_) | Err(NotRenewed::Needed) => None,
            Err(NotRenewed::Elsewhere) => *failed_at, // another node does it, and may be done any moment
            Err(NotRenewed::Unanswered) => Some(Instant::now()),
        };
        renewed.map_err(|why| match why {
            NotRenewed::Needed => NoUpstreamToken::Needed,
            NotRenewed::Elsewhere | NotRenewed::Unanswered => NoUpstreamToken::Unavailable,
        })
    }

    async fn in_turn(
        &self,
        connection: ConnectionId,
        id: AuthorizationId,
        rotation: i64,
        whom: For,
    ) -> Result<Held, NotRenewed> {
        let by = Instant::now() + PATIENCE;
        loop {
            if let Some(kept) = self.rows().turn(id, rotation).await.map_err(|error| unanswered(&error))? {
                return self.spend(connection, id, rotation, &kept).await;
            }
            match self.rows().open(id).await.map_err(|error| unanswered(&error))? {
                None => return Err(NotRenewed::Needed),
                Some(held) if held.rotation != rotation => {
                    self.remember(id, &held);
                    return Ok(held);
                }
                Some(_) if whom == For::Later || Instant::now() > by => {
                    return Err(NotRenewed::Elsewhere);
                }
                Some(_) => tokio::time::sleep(LOOK_EVERY.mul_f64(0.5 + random::fraction())).await,
            }
        }
    }

    /// Asks the authorization server, in our turn.
    async fn spend(
        &self,
        connection: ConnectionId,
        id: AuthorizationId,
        rotation: i64,
        kept: &Kept,
    ) -> Result<Held, NotRenewed> {
        match self.ask(connection, kept).await {
            Ok(tokens) => {
                let held = self.keep_renewed(id, rotation, &kept.renewed(&tokens)).await?;
                self.remember(id, &held);
                Ok(held)
            }
            Err(why) if why.is_final() => {
                tracing::warn!(connection.id = %connection, issuer = %kept.issuer, cause = %why, "an upstream's token is not renewed");
                self.unlearn(kept.organization, kept.issuer.as_str(), &why).await;
                self.lose(connection, id, AuthorizationEnd::RenewalRefused).await;
                let _ = self.rows().give_back(id, rotation, REST).await;
                Err(NotRenewed::Needed)
            }
            Err(why) => {
                tracing::warn!(connection.id = %connection, issuer = %kept.issuer, cause = %why, "an upstream's token cannot be renewed now");
                let _ = self.rows().give_back(id, rotation, REST).await;
                Err(NotRenewed::Unanswered)
            }
        }
    }

    async fn ask(&self, connection: ConnectionId, kept: &Kept) -> Result<Tokens, NotGiven> {
        let gone = || NotGiven::Unanswered("its server was removed".to_owned());
        let reach = self.reach(connection, kept.beside_the_server).ok_or_else(gone)?;
        let counter = Counter { endpoint: &kept.endpoint, reach, client: &kept.client };
        let mut form = vec![("resource", kept.resource.as_str())];
        match (kept.grant, kept.refresh_token.as_deref()) {
            (UpstreamGrant::ClientCredentials, _) => {
                form.push(("grant_type", "client_credentials"));
                if !kept.scope.is_empty() {
                    form.push(("scope", kept.scope.as_str()));
                }
            }
            (UpstreamGrant::AuthorizationCode, Some(token)) => {
                form.extend([("grant_type", "refresh_token"), ("refresh_token", token)]);
            }
            (UpstreamGrant::AuthorizationCode, None) => return Err(NotGiven::Unfit),
        }
        counter.ask(&*self.0.parts.calls, &form).await
    }

    /// What was given out must not be lost: what it was given out for is spent.
    async fn keep_renewed(
        &self,
        id: AuthorizationId,
        rotation: i64,
        kept: &Kept,
    ) -> Result<Held, NotRenewed> {
        let mut pause = LOOK_EVERY;
        for _ in 1..KEEP_ATTEMPTS_MAX {
            match self.rows().renew(id, rotation, kept).await {
                Ok(Some(held)) => return Ok(held),
                Ok(None) => return Err(NotRenewed::Elsewhere), // the turn was over: what another node keeps is newer
                Err(error) => tracing::warn!(error = %error, "a renewed token cannot be kept yet"),
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
        let held = self.rows().renew(id, rotation, kept).await.map_err(|error| unanswered(&error))?;
        held.ok_or(NotRenewed::Elsewhere)
    }

    /// Tells that an authorization is of no use any more.
    pub(super) async fn lose(&self, connection: ConnectionId, id: AuthorizationId, reason: AuthorizationEnd) {
        self.tell(&LoseAuthorization { connection, authorization: id, reason }).await;
        self.0.remembered.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    pub(super) async fn tell<U: UseCase>(&self, use_case: &U) {
        let order = Order {
            command: None,
            request_digest: String::new(),
            correlation: random::hex(16),
            causation: None,
        };
        if let Err(error) = carry_out(&*self.0.parts.ports, &Actor::schedule(), order, use_case).await {
            tracing::warn!(error = %error, "what became of an upstream's authorization is not told");
        }
    }

    pub(super) fn remembered(&self, id: AuthorizationId) -> Option<Held> {
        self.0.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub(super) fn remember(&self, id: AuthorizationId, held: &Held) {
        let mut remembered = self.0.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX && !remembered.contains_key(&id) {
            remembered.clear(); // rare, and costs one look-up for each authorization in use
        }
        remembered.insert(id, held.clone());
    }
}

fn unanswered(error: &RowError) -> NotRenewed {
    unreadable(error);
    NotRenewed::Unanswered
}

pub(super) fn unreadable(error: &RowError) -> NoUpstreamToken {
    tracing::error!(error = %error, "tokens for an upstream cannot be read or kept");
    NoUpstreamToken::Unavailable
}
