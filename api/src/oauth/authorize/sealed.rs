//! A request on its way through the form that asks for consent: sealed for one session and named, so that what a person agrees to is what they were shown,
//! and once, whoever else knows the request, whatever becomes of the form (`oauth.md`, case 6).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::value::{Scope, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::request::Wanted;
use crate::passwords::Seal;

/// How long somebody may look at the form.
const FORM_SECONDS: i64 = 15 * 60;

/// What was shown, to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown {
    /// The form's own name: it counts once.
    pub(super) form: Uuid,
    /// The request.
    pub(super) wanted: Wanted,
    /// The scopes that had a box.
    pub(super) offered: Vec<Scope>,
    /// How the language was asked for.
    pub(super) ui_locales: Option<String>,
    until: Timestamp,
}

impl Shown {
    /// What is shown now.
    pub(super) fn now(
        form: Uuid,
        (wanted, offered): (Wanted, Vec<Scope>),
        ui_locales: Option<&str>,
        now: Timestamp,
    ) -> Self {
        let ui_locales = ui_locales.map(str::to_owned);
        Self { form, wanted, offered, ui_locales, until: now.plus_seconds(FORM_SECONDS) }
    }

    /// For the form.
    pub(super) fn seal(&self, seal: &dyn Seal, session: Uuid, user: UserId) -> Option<String> {
        let plain = serde_json::to_vec(self).ok()?;
        Some(URL_SAFE_NO_PAD.encode(seal.seal(&place(session, user), &plain)?))
    }

    /// Out of the form: none when it is of another session, was changed, or is too old.
    pub(super) fn open(
        text: &str,
        seal: &dyn Seal,
        (session, user): (Uuid, UserId),
        now: Timestamp,
    ) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = seal.open(&place(session, user), &sealed)?;
        let shown: Self = serde_json::from_slice(&plain).ok()?;
        (shown.until > now).then_some(shown)
    }
}

fn place(session: Uuid, user: UserId) -> String {
    format!("consent of {user} in {session}")
}
