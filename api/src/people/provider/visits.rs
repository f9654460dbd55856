//! Browsers on their way to a provider, by the state that they come back with: kept for ten minutes, taken once, by the browser that was sent.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use commands::Entropy;
use domain::value::ProviderId;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::people::cookie::VisitToken;
use crate::people::next::Next;
use crate::providers;

/// Whoever takes longer chooses again.
const STATE_SECONDS: f64 = 600.0;

/// What is old.
pub(in crate::people) const FORGET: [&str; 4] = providers::FORGET;

/// What somebody goes to a provider for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To sign in.
    SignIn,
    /// To have a session go on.
    Renew {
        /// Which.
        session: Uuid,
    },
    /// To have an identity lead to the account of a session.
    Link {
        /// Which.
        session: Uuid,
    },
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Renew { .. } => "renew",
            Self::Link { .. } => "link",
        }
    }

    const fn session(self) -> Option<Uuid> {
        match self {
            Self::SignIn => None,
            Self::Renew { session } | Self::Link { session } => Some(session),
        }
    }
}

/// What is remembered of somebody who left for a provider.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) purpose: Purpose,
    /// Whether the provider was to ask the person anew.
    pub(super) in_person: bool,
    /// Where they go on.
    pub(super) next: Next,
    /// What was asked for of the language.
    pub(super) ui_locales: Option<String>,
}

#[derive(FromRow)]
struct Row {
    purpose: String,
    session_id: Option<Uuid>,
    in_person: bool,
    next: String,
    ui_locales: Option<String>,
}

/// Keeps a visit under a fresh state, for this browser.
pub(super) async fn keep(
    pool: &PgPool,
    entropy: &impl Entropy,
    (browser, provider): (&VisitToken, &ProviderId),
    visit: &Visit,
) -> Result<String, sqlx::Error> {
    let state = URL_SAFE_NO_PAD.encode(entropy.secret());
    sqlx::query(
        "insert into provider_visits (digest, browser, provider, purpose, session_id, in_person, next, ui_locales, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + make_interval(secs => $9))",
    )
    .bind(digest_of(&state))
    .bind(browser.digest())
    .bind(provider.as_str())
    .bind(visit.purpose.as_str())
    .bind(visit.purpose.session())
    .bind(visit.in_person)
    .bind(visit.next.as_str())
    .bind(visit.ui_locales.as_deref())
    .bind(STATE_SECONDS)
    .execute(pool)
    .await?;
    Ok(state)
}

/// Takes a visit. In another browser, at another provider, or a second time there is none; and whoever tries takes it from nobody.
pub(super) async fn take(
    pool: &PgPool,
    (browser, provider): (&VisitToken, &ProviderId),
    state: &str,
) -> Result<Option<Visit>, sqlx::Error> {
    let row: Option<Row> = sqlx::query_as(
        "delete from provider_visits where digest = $1 and browser = $2 and provider = $3 and expires_at > clock_timestamp()
         returning purpose, session_id, in_person, next, ui_locales",
    )
    .bind(digest_of(state))
    .bind(browser.digest())
    .bind(provider.as_str())
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(|row| {
        let purpose = match (row.purpose.as_str(), row.session_id) {
            ("sign_in", None) => Purpose::SignIn,
            ("renew", Some(session)) => Purpose::Renew { session },
            ("link", Some(session)) => Purpose::Link { session },
            (_, _) => return None, // the table's own rule lets no other in
        };
        let next = Next::of(Some(&row.next));
        Some(Visit { purpose, in_person: row.in_person, next, ui_locales: row.ui_locales })
    }))
}

fn digest_of(state: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, state.as_bytes()).as_ref().to_vec()
}
