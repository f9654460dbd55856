//! Access tokens as the edge knows them: what they say, where they are for, and the capabilities that make and check them (RFC 9068).
//!
//! Deliberately absent: any decision. What a token may do is said by `domain::policy` over the view, call by call.

mod assertion;
mod claims;
mod client_keys;
mod client_name;
mod jwk;
mod ports;
mod public_url;
mod refresh;

pub use assertion::{AssertionClaims, Audience};
pub(crate) use claims::scope_text;
pub use claims::{AccessClaims, AccessToken, CLOCK_LEEWAY_SECONDS, TokenFault};
pub(crate) use client_keys::{jwks_of, read_client_key, read_client_keys};
pub(crate) use client_name::{client_named, id_of};
pub(crate) use jwk::{PublicKey, base64url};
pub use ports::{CheckAssertions, CheckTokens, KeyOf, SecretFault, SignTokens, SigningFailed, VerifySecrets};
pub use public_url::PublicUrl;
pub use refresh::{
    EndedFamily, FamilyEnd, FamilyId, FoundRefresh, KeepRefreshTokens, REFRESH_IDLE_DAYS, REFRESH_LIFE_DAYS,
    REFRESH_REPLAY_SECONDS, RefreshAnswer, RefreshFamily, RefreshState, RefreshUnreachable, Spending,
};

/// The type of an access token in its header (RFC 9068, 2.1): no other token of ours can be taken for one.
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
