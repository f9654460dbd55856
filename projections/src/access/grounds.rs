//! What a decision rests on: the view of this node, or, when that is too old, the few rows of the log that decide.
//!
//! ```text
//!   view fresh ------------------------------------------> View       one atomic load and a look at the clock
//!   view stale --Postgres asked for the few rows---------> Postgres   the very same decision over them
//!                              `--no answer--------------> refused, or StaleView where the instance says so
//! ```
//! Asking is bounded: one question at a time for the same parties, a few at once for all of them, and a caller waits half a second at most.
//! A question outlives whoever asked it: while Postgres is slow, callers that give up must not make room for more of the same.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::value::{ApiKeyId, ClientId, GrantId, InstanceId, Position, TokenId};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};

use super::live::Held;
use super::{AccessView, LiveView, TokenClaims, TokenHolder};
use crate::freshness::{Freshness, Look, Mono};
use crate::history::History;

/// Questions that Postgres is asked at once.
const ASKED_MAX: usize = 4;
/// Questions under way, with those that wait for their turn.
const QUESTIONS_MAX: usize = 256;
/// Of those, what is left to credentials and instances that this node has heard of: whoever makes them up, or has no key at all, must not take their turn.
const QUESTIONS_OF_KNOWN_PARTIES: usize = 192;
/// How long a caller waits for the answer.
const ANSWER_WAIT: Duration = Duration::from_millis(500);
/// How long a question may take Postgres before it is given up and the next one asked.
const QUESTION_WAIT: Duration = Duration::from_secs(3);

/// What a decision rested on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Basis {
    /// The view of the node, which was fresh.
    View,
    /// What Postgres was asked for.
    Postgres,
    /// The view of the node, which was stale: its instance goes on then.
    StaleView,
}

impl Basis {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::View, Self::Postgres, Self::StaleView];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Postgres => "postgres",
            Self::StaleView => "stale_view",
        }
    }
}

/// A view to decide by, and for how long it may.
#[derive(Debug, Clone)]
pub struct Grounds {
    view: Arc<AccessView>,
    mark: Mark,
}

/// Where and from when the grounds of a decision were: what is checked again before the decision is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// What they were.
    pub basis: Basis,
    /// They held everything that was committed at this moment.
    pub as_of: Mono,
    /// The position of what they were.
    pub position: Position,
}

impl Deref for Grounds {
    type Target = AccessView;

    fn deref(&self) -> &AccessView {
        &self.view
    }
}

impl Grounds {
    /// The view.
    pub const fn view(&self) -> &Arc<AccessView> {
        &self.view
    }

    /// Its mark.
    pub const fn mark(&self) -> Mark {
        self.mark
    }
}

/// Whom and what a decision is about, as far as a request names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Parties {
    /// The presented key.
    pub key: Option<ApiKeyId>,
    /// The client that a presented token was issued to, or that asks for one.
    pub client: Option<ClientId>,
    /// The presented token, which may have been given back.
    pub token: Option<TokenId>,
    /// The grant that a presented token hangs on.
    pub grant: Option<GrantId>,
    /// The instance that is called.
    pub instance: Option<InstanceId>,
}

impl Parties {
    /// Those of a token.
    pub const fn of_token(claims: &TokenClaims) -> Self {
        let grant = match claims.holder {
            TokenHolder::User { user: _, grant } => Some(grant),
            TokenHolder::Client => None,
        };
        Self {
            key: None,
            client: Some(claims.client),
            token: Some(claims.token),
            grant,
            instance: Some(claims.instance),
        }
    }

    /// Whether this view has heard of whoever asks, and of what is asked for.
    fn are_known(&self, view: &AccessView) -> bool {
        let presented = self.key.is_some() || self.client.is_some() || self.grant.is_some();
        presented
            && self.key.is_none_or(|key| view.key_by_id(key).is_some())
            && self.client.is_none_or(|client| view.client(client).is_some())
            && self.grant.is_none_or(|grant| view.grant(grant).is_some())
            && self.instance.is_none_or(|instance| view.instance(instance).is_some())
    }
}

/// Postgres cannot say either. Why is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the view of this node is too old to decide, and Postgres does not answer")]
pub struct Unanswered;

type Answer = Result<Grounds, Unanswered>;
type Question = Shared<BoxFuture<'static, Answer>>;

/// Where grounds come from.
#[derive(Clone)]
pub struct Deciding(Arc<Inner>);

struct Inner {
    live: LiveView,
    history: History,
    questions: Mutex<HashMap<Parties, WeakShared<BoxFuture<'static, Answer>>>>,
    under_way: Arc<Semaphore>,
    asked: Semaphore,
}

impl std::fmt::Debug for Deciding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deciding").finish_non_exhaustive()
    }
}

impl Deciding {
    /// By this view, or else by this history.
    pub fn new(live: LiveView, history: History) -> Self {
        Self(Arc::new(Inner {
            live,
            history,
            questions: Mutex::default(),
            under_way: Arc::new(Semaphore::new(QUESTIONS_MAX)),
            asked: Semaphore::new(ASKED_MAX),
        }))
    }

    /// The view of this node, if it may decide.
    pub fn fresh(&self) -> Option<Grounds> {
        let Held { view, as_of } = self.0.live.hold();
        let mark = Mark { basis: Basis::View, as_of, position: view.position() };
        (self.0.live.is_following() && self.still_hold(mark)).then_some(Grounds { view, mark })
    }

    /// The view of this node as it is, for those who go on with it.
    pub fn stale(&self) -> Grounds {
        let Held { view, as_of } = self.0.live.hold();
        let mark = Mark { basis: Basis::StaleView, as_of, position: view.position() };
        Grounds { view, mark }
    }

    /// Whether there is a view at all: not while it starts, nor after it has stopped.
    pub fn is_following(&self) -> bool {
        self.0.live.is_following()
    }

    /// Wakes whenever the view of this node holds more.
    pub fn listen(&self) -> watch::Receiver<Position> {
        self.0.live.listen()
    }

    /// Whether what was decided may be used now.
    pub fn still_hold(&self, mark: Mark) -> bool {
        match mark.basis {
            Basis::View | Basis::Postgres => self.freshness().holds(mark.as_of),
            Basis::StaleView => true,
        }
    }

    /// How old the view of this node can be.
    pub fn freshness(&self) -> &Freshness {
        self.0.live.freshness()
    }

    /// Asks Postgres for the rows that decide about these parties.
    pub async fn ask(&self, parties: Parties) -> Result<Grounds, Unanswered> {
        let question = self.question(parties)?;
        let answer = tokio::time::timeout(ANSWER_WAIT, question).await.map_err(|_| Unanswered)??;
        if self.still_hold(answer.mark) { Ok(answer) } else { Err(Unanswered) }
    }

    /// The question about these parties that is under way, or a new one.
    fn question(&self, parties: Parties) -> Result<Question, Unanswered> {
        let mut questions = self.0.questions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(question) = questions.get(&parties).and_then(WeakShared::upgrade) {
            return Ok(question);
        }
        let is_known = parties.are_known(&self.0.live.load());
        if !is_known && self.0.under_way.available_permits() <= QUESTIONS_OF_KNOWN_PARTIES {
            return Err(Unanswered);
        }
        let turn = Arc::clone(&self.0.under_way).try_acquire_owned().map_err(|_| Unanswered)?;
        let inner = Arc::clone(&self.0);
        let asking = tokio::spawn(async move {
            let _turn = turn;
            inner.answer(&parties).await
        });
        let question = asking.map(|answer| answer.unwrap_or(Err(Unanswered))).boxed().shared();
        questions.retain(|_, question| question.upgrade().is_some());
        questions.extend(question.downgrade().map(|weak| (parties, weak)));
        Ok(question)
    }
}

impl Inner {
    async fn answer(&self, parties: &Parties) -> Answer {
        let _one_of_few = self.asked.acquire().await.map_err(|_| Unanswered)?;
        let rows = tokio::time::timeout(QUESTION_WAIT, self.rows(parties)).await;
        match rows {
            Ok(Ok(grounds)) => Ok(grounds),
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "the rows that decide cannot be read");
                Err(Unanswered)
            }
            Err(_) => {
                tracing::warn!("Postgres does not give the rows that decide in time");
                Err(Unanswered)
            }
        }
    }

    /// The head first, then what is about the parties up to there: one consistent view, no older than the moment before the head was asked for.
    async fn rows(&self, parties: &Parties) -> Result<Grounds, super::evidence::EvidenceError> {
        let look = {
            let mut connection = self.history.pool().acquire().await.map_err(crate::log::LogError::from)?;
            Look::by(&mut connection, || self.live.freshness().now())
                .await
                .map_err(crate::log::LogError::from)?
        };
        let view = AccessView::of_parties(&self.history, *parties, look.head).await?;
        let mark = Mark { basis: Basis::Postgres, as_of: look.sent, position: look.head };
        Ok(Grounds { view: Arc::new(view), mark })
    }
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::PgPoolOptions;
    use uuid::Uuid;

    use super::*;
    use crate::log::LogReader;

    #[tokio::test]
    async fn whoever_has_no_key_or_makes_one_up_leaves_room_for_the_questions_of_others() {
        let nobody = PgPoolOptions::new().connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap();
        let deciding = Deciding::new(LiveView::default(), History::new(LogReader::new(nobody)));
        for number in 0..1_000 {
            let id = Uuid::from_u128(number);
            let key = (number % 2 == 0).then(|| ApiKeyId::new(id));
            let _ =
                deciding.question(Parties { key, instance: Some(InstanceId::new(id)), ..Parties::default() });
        }
        assert_eq!(deciding.0.under_way.available_permits(), QUESTIONS_OF_KNOWN_PARTIES);
    }
}
