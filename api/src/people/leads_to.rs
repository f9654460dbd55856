//! What a person signs in for: an application, and where it leads them afterwards.

use crate::pages::FormTarget;

/// What follows after a sign-in, as far as it is known before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expectation {
    /// The application's name.
    pub(crate) client: String,
    /// Where redirects after the form may end: without it a browser stops them (CSP 3, `form-action`).
    pub(crate) leads_to: Option<FormTarget>,
}
