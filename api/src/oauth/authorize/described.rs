//! An authorization request and the answer to its page, as the document describes them: `request` reads the one, `decide` the other.

use utoipa::ToSchema;

use crate::openapi::Parameter;
use crate::people::UI_LOCALES;

/// What a client may send (RFC 6749, 4.1.1; RFC 7636, 4.3; RFC 8707, 2).
pub(super) const QUERY: [Parameter; 10] = [
    Parameter::required("response_type", "`code`"),
    Parameter::required(
        "client_id",
        "The client: its id, or the https address of the document that describes it",
    ),
    Parameter::optional(
        "redirect_uri",
        "Where the answer goes: one that is registered; may be left out where there is one only",
    ),
    Parameter::optional(
        "scope",
        "What is asked for, separated by spaces; what the client is registered for, when left out",
    ),
    Parameter::optional("state", "Comes back as it went"),
    Parameter::required("code_challenge", "43 characters, made of the verifier by S256 (RFC 7636, 4.2)"),
    Parameter::required("code_challenge_method", "`S256`"),
    Parameter::optional(
        "resource",
        "The MCP endpoint that the token is for (RFC 8707); may be left out where there is one only",
    ),
    Parameter::optional("response_mode", "`query`"),
    UI_LOCALES,
];

/// What a person decides.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the document describes its members; the handler reads the form as it comes")]
pub(super) struct ConsentForm {
    /// Out of the page: ties the form to this browser.
    csrf: String,
    /// Out of the page: the request as it was shown, sealed for this session.
    request: String,
    /// `allow` or `deny`. With `allow`, each scope that is granted has a member of its own, such as `allow mcp:read`.
    decision: String,
}
