//! How far did a credential reach, an API key, a grant or a client? What it could have done in a span of time, and what it did.
//!
//! What it could: the history of all that its right to call hangs on is unfolded event by event, and after each one that matters the decision of the
//! gateway is asked for everything that could be wished for: each named tool of each instance, any other tool, connecting, reading, the management API,
//! which no token opens. Of a grant or client the token is judged that it would have got at that moment. Where the answer changes, an interval begins
//! or ends, and names the event. What ends by itself ends its intervals without an event.
//!
//! A client's own reach is not that of what users consented to: its grants are named, to be asked about one by one.
//!
//! What it did: events whose metadata name it, and its call records.
//!
//! The cost of the first grows with the history of the credential, its user, client and organization, the deployment and the instances; that of the second
//! with the events of the organization in the span, which are looked through (there is no index by credential); that of the third with its calls.

mod found;
mod reach;
mod shape;

use std::time::Duration;

use domain::value::{OrganizationId, Position, Timestamp};
use projections::LogError;
use projections::access::Credential;
use projections::access::evidence::EvidenceError;
use projections::calls::{self, End, Patience};
use projections::history::{History, Moment, NotYet};
use sqlx::PgPool;

pub(crate) use shape::BlastRadius;

use self::found::Traces;
use self::reach::{Reach, Span};
use crate::explain::Principal;
use crate::lacking::LackingRecords;

/// Groups of calls in one answer.
const CALL_GROUPS_MAX: u32 = 1_000;
/// Grants of a client, in one answer: the newest.
const GRANTS_MAX: u32 = 100;
/// Keys that it issued, in one answer.
const ISSUED_MAX: u32 = 100;
/// Records that are lacking, in one answer.
const LACKING_MAX: usize = 100;
/// How long Postgres may look through events or calls.
const PATIENCE: Patience = Patience(Duration::from_secs(20));

/// Which credential, and when.
pub(crate) struct Question {
    /// It.
    pub(crate) credential: Principal,
    /// From when; `None`: from its beginning.
    pub(crate) from: Option<Moment>,
    /// Until when; `None`: now.
    pub(crate) to: Option<Moment>,
}

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlastRadiusError {
    /// No such credential, or one of another tenant: the two look the same.
    #[error("there is no such API key, grant or client")]
    NotFound,
    /// A user is none.
    #[error("a credential is an API key (its id or its 22 characters), a grant or a client")]
    NoCredential,
    /// A client of no organization calls nothing in its own name.
    #[error(
        "this client belongs to no organization and gets no tokens in its own name: ask about its grants"
    )]
    Homeless,
    /// The span has no moment in it.
    #[error("from is no later than to")]
    Backwards,
    /// No such moment yet.
    #[error(transparent)]
    NotYet(#[from] NotYet),
    /// The history cannot be unfolded.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// Events or calls cannot be counted.
    #[error(transparent)]
    Counting(#[from] sqlx::Error),
}

impl From<LogError> for BlastRadiusError {
    fn from(error: LogError) -> Self {
        Self::Evidence(error.into())
    }
}

/// Answers, within what may be seen: one organization, or everything.
pub(crate) async fn blast_radius(
    history: &History,
    pool: &PgPool,
    within: Option<OrganizationId>,
    question: &Question,
) -> Result<BlastRadius, BlastRadiusError> {
    let found = found::find(history, within, &question.credential).await?;
    let span = span(history, question, found.began).await?;
    let reach = Reach::of(history, &found, span).await?;
    let traces = Traces::gather(history, &found, within, span).await?;
    let (organization, credential) = (found.organization.uuid(), found.credential.uuid());
    let (from, to) = (question.from.map(end), question.to.map(end));
    let deeds = calls::made_with(pool, organization, credential, from, to, CALL_GROUPS_MAX, PATIENCE).await?;
    let (from, to) = (Some(span.from_time.get()), Some(span.to_time.get()));
    let lacking = calls::incomplete(pool, Some(organization), from, to).await?;
    let lacking = lacking.into_iter().take(LACKING_MAX).map(LackingRecords::from).collect();
    let grants = match found.credential {
        Credential::Client(client) => history.grants_to(client, within, span.to, GRANTS_MAX).await?,
        Credential::Key(_) | Credential::Grant(_) => Vec::new(),
    };
    Ok(BlastRadius::of(&found, span, reach, traces, deeds, lacking, grants))
}

fn end(moment: Moment) -> End {
    match moment {
        Moment::Time(time) => End::Time(time.get()),
        Moment::Position(position) => End::Position(position),
    }
}

async fn span(history: &History, question: &Question, began: Position) -> Result<Span, BlastRadiusError> {
    let from = question.from.unwrap_or(Moment::Position(began));
    let (from_position, from_time) = moment(history, from).await?;
    let (to, to_time) = match question.to {
        Some(to) => moment(history, to).await?,
        None => (history.head().await?, history.now().await?),
    };
    if from_position > to || from_time > to_time {
        return Err(BlastRadiusError::Backwards);
    }
    let before = history.before(from).await?;
    Ok(Span { before, from: from_position, from_time, to, to_time })
}

async fn moment(history: &History, moment: Moment) -> Result<(Position, Timestamp), BlastRadiusError> {
    let position = history.at(moment).await?;
    let time = match moment {
        Moment::Time(time) => time,
        Moment::Position(_) => history.recorded_at(position).await?.unwrap_or(Timestamp::EPOCH),
    };
    Ok((position, time))
}
