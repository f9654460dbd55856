//! Why was that allowed, or not? The decision of the gateway, taken again over the facts of another moment, with the events that set them.
//!
//! It is `domain::policy::decide` that answers, here as on the hot path. What the log does not hold is taken as stated in the answer: whether the
//! upstream called the tool read-only (`read_only`), and the caller's address, which is taken as one that a maintenance keeps out. Neither does
//! the log hold rates and the state of upstreams: an explanation is about the right to call.
//!
//! Who calls is an API key, a grant or a client; of the latter two the token is judged that they would have got at that moment, for all that they may.
//! A user is allowed what one of their keys or grants is.
//!
//! The cost is that of the evidence (`projections::access::evidence`): about a dozen look-ups by primary key for each credential that is judged, whatever
//! the length of the log; a time instead of a position takes some twenty more to find its position.

mod question;
mod sentence;
mod shape;
mod who;

use domain::policy::{self, Caller, Denial, Facts, Target, Wish};
use domain::value::{ApiKeyId, InstanceId, OrganizationId, Position, Scope, Timestamp, UserId};
use projections::LogError;
use projections::access::evidence::{Evidence, EvidenceError, Subject};
use projections::access::{AccessView, Credential, Shown, Unfit, Unmade, Wanted};
use projections::history::{History, Moment, NotYet};

pub(crate) use question::{Call, Principal, Question, QuestionError};
pub(crate) use shape::{Assumed, Explanation, SetByEvent};
pub(crate) use who::{Caller as AllowedCaller, who};

use self::shape::CredentialVerdict;

/// Credentials of one user that are judged for one answer: so many keys, and so many grants.
const CREDENTIALS_MAX: u32 = 50;

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExplainError {
    /// No such principal or instance, or one of another tenant: the two look the same.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Too many keys or grants to judge them all.
    #[error("this user has more than {CREDENTIALS_MAX} keys or grants here: name one of them")]
    TooManyCredentials,
    /// No such moment yet.
    #[error(transparent)]
    NotYet(#[from] NotYet),
    /// The evidence cannot be gathered.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl From<LogError> for ExplainError {
    fn from(error: LogError) -> Self {
        Self::Evidence(error.into())
    }
}

/// Why a call is not let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The policy says no.
    Denied(Denial),
    /// There was no such key at that moment.
    KeyUnknown,
    /// There was no such grant at that moment.
    GrantUnknown,
    /// There was no such client at that moment.
    ClientUnknown,
    /// The client gets no tokens in its own name.
    NoTokenOfItsOwn,
    /// The user had nothing to call with.
    NoCredential,
}

impl Refusal {
    /// The stable reason, the same as the gateway answers with.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Denied(denial) => denial.code(),
            Self::KeyUnknown => "key-unknown",
            Self::GrantUnknown => "grant-unknown",
            Self::ClientUnknown => "client-unknown",
            Self::NoTokenOfItsOwn => "unauthorized-client",
            Self::NoCredential => "no-credential",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Denied(denial @ Denial::ScopeMissing(Scope::Tool(tool))) => {
                format!("{denial}; tool:{tool} or mcp:write opens it")
            }
            Self::Denied(denial) => denial.to_string(),
            Self::KeyUnknown => "this API key had not been issued".to_owned(),
            Self::GrantUnknown => "the user had not consented yet".to_owned(),
            Self::ClientUnknown => "this client had not been registered".to_owned(),
            Self::NoTokenOfItsOwn => {
                "this client gets no tokens in its own name, only by what users consent to".to_owned()
            }
            Self::NoCredential => {
                "this user had no API key of this organization and had consented to no client here".to_owned()
            }
        }
    }
}

/// The moment that is looked at.
#[derive(Debug, Clone, Copy)]
struct As {
    position: Position,
    now: Timestamp,
}

/// One credential, judged.
struct Judged {
    credential: Credential,
    evidence: Evidence,
    verdict: Result<(), Refusal>,
}

/// Explains, within what may be seen: one organization, or everything.
pub(crate) async fn explain(
    history: &History,
    within: Option<OrganizationId>,
    question: &Question,
) -> Result<Explanation, ExplainError> {
    let organization = instance_within(history, within, question.call.instance).await?;
    let principal = question.principal.find(history, organization, within).await?;
    let at = moment(history, question.call.at).await?;
    match principal {
        Found::Credential(credential) => {
            let judged = judge(history, question, credential, at).await?;
            Ok(Explanation::of(question, at.position, at.now, &judged, Vec::new()))
        }
        Found::User(user) => explain_user(history, question, organization, user, at).await,
    }
}

/// A principal who exists.
#[derive(Debug, Clone, Copy)]
enum Found {
    Credential(Credential),
    User(UserId),
}

/// A user calls with some key, or lets a client call: allowed if any of them is.
async fn explain_user(
    history: &History,
    question: &Question,
    organization: OrganizationId,
    user: UserId,
    at: As,
) -> Result<Explanation, ExplainError> {
    let keys = history.keys_of(organization, user, at.position, CREDENTIALS_MAX + 1).await?;
    let instance = question.call.instance;
    let grants = history.grants_of(user, instance, at.position, CREDENTIALS_MAX + 1).await?;
    if keys.len().max(grants.len()) > usize::try_from(CREDENTIALS_MAX).unwrap_or(usize::MAX) {
        return Err(ExplainError::TooManyCredentials);
    }
    let keys = keys.into_iter().map(Credential::Key);
    let mut judged = Vec::new();
    for credential in keys.chain(grants.into_iter().map(Credential::Grant)) {
        judged.push(judge(history, question, credential, at).await?);
    }
    let verdicts: Vec<CredentialVerdict> = judged.iter().map(CredentialVerdict::of).collect();
    let telling = judged.iter().find(|judged| judged.verdict.is_ok()).or_else(|| judged.first());
    Ok(match telling {
        Some(telling) => Explanation::of(question, at.position, at.now, telling, verdicts),
        None => Explanation::without_credential(question, at.position, at.now),
    })
}

async fn instance_within(
    history: &History,
    within: Option<OrganizationId>,
    instance: InstanceId,
) -> Result<OrganizationId, ExplainError> {
    let origin = history.origin("instance", &instance.to_string()).await?;
    origin
        .and_then(|origin| origin.organization)
        .filter(|owner| within.is_none_or(|within| within == *owner))
        .ok_or(ExplainError::NotFound("instance"))
}

async fn moment(history: &History, at: Option<Moment>) -> Result<As, ExplainError> {
    let Some(at) = at else {
        let position = history.head().await?;
        return Ok(As { position, now: history.now().await? });
    };
    let position = history.at(at).await?;
    let now = match at {
        Moment::Time(time) => time,
        Moment::Position(_) => history.recorded_at(position).await?.unwrap_or(Timestamp::EPOCH),
    };
    Ok(As { position, now })
}

async fn judge(
    history: &History,
    question: &Question,
    credential: Credential,
    at: As,
) -> Result<Judged, ExplainError> {
    let Call { instance, tool, .. } = &question.call;
    let subject = Subject { credential, instance: *instance, tool: tool.as_str() };
    let evidence = Evidence::gather(history, subject, at.position).await?;
    let verdict = decide_with(&evidence.view, credential, &question.call, at.now);
    Ok(Judged { credential, evidence, verdict })
}

/// Whether a call that is asked about is let through with a credential.
fn decide_with(
    view: &AccessView,
    credential: Credential,
    call: &Call,
    now: Timestamp,
) -> Result<(), Refusal> {
    let wish = Wish::Call { tool: call.tool.as_str(), read_only: call.is_read_only() };
    Ok(view.judge_with(credential, call.instance, wish, now)?)
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::KeyUnknown => Self::KeyUnknown,
            Unfit::Denied(denial) => Self::Denied(denial),
        }
    }
}

impl From<Unmade> for Refusal {
    fn from(unmade: Unmade) -> Self {
        match unmade {
            Unmade::GrantUnknown => Self::GrantUnknown,
            Unmade::ClientUnknown => Self::ClientUnknown,
            Unmade::NoTokenOfItsOwn => Self::NoTokenOfItsOwn,
            Unmade::Unfit(unfit) => unfit.into(),
        }
    }
}

/// In the order of the gateway: the credential, then the endpoint, then the wish.
pub(crate) fn decide(view: &AccessView, wanted: &Wanted<'_>, now: Timestamp) -> Result<(), Refusal> {
    Ok(view.judge(wanted, now)?)
}

/// Whether the management API of the key's organization takes it for a scope.
pub(crate) fn manages(
    view: &AccessView,
    key: ApiKeyId,
    scope: &Scope,
    now: Timestamp,
) -> Result<(), Refusal> {
    let key = view.key_by_id(key).ok_or(Refusal::KeyUnknown)?;
    let facts = Facts {
        caller: Caller::Key(view.key_facts(key)),
        target: Target::Organization(key.organization),
        maintenance: false,
        now,
    };
    policy::decide(&facts, Wish::Manage(scope)).map(|_| ()).map_err(Refusal::Denied)
}

/// A key alone, as it is checked before anything else of a call is read.
pub(crate) fn authenticate(view: &AccessView, key: ApiKeyId, now: Timestamp) -> Result<(), Refusal> {
    view.admit(Shown::Key(key), None, now)?;
    Ok(())
}
