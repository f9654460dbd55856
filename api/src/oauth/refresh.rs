//! A refresh token is exchanged for an access token and its own successor (RFC 6749, 6; rotation: RFC 9700, 4.14.2).
//!
//! Everything that can be refused is refused before anything is spent: a wish for another resource or a wider scope leaves the token as it was.
//! Then one of all who present it wins; the others, as long as that may be a retry, get the very same answer, and after that end the family and
//! its grant: one of two who hold the same token is a thief, and which one nobody can tell.
//!
//! A retry asks for the same. Whoever asks for other scopes with a token that was used a moment ago is told `invalid_scope`, and nothing ends: it may be
//! the same client, which has the next token on its way and can ask with that; told `invalid_grant`, it would throw its tokens away.
//!
//! Whoever changes their password ends the families of before, too: each at its next refresh, which is when its last access token ends at the latest
//! (`oauth.md`, case 12), and each alone: a token of before, spent or not, has no say in what was allowed after.

use commands::{Entropy as _, Ports};
use domain::client::GrantType;
use domain::value::{IssuedSecret, PresentedSecret, Scope, Scopes, compose_refresh_token, is_refresh_token};
use projections::access::{Client, Grant, Grounds, TokenHolder};
use serde::{Deserialize, Serialize};

use super::asked_scopes::read_scopes;
use super::error::{OauthError, OauthErrorCode};
use super::form::Parameters;
use super::token::TokenAnswer;
use super::{Oauth, issue, standing, target};
use crate::passwords::replaced_since;
use crate::providers::{Standing, Vouching, ground_of};
use crate::token::{
    EndedFamily, FamilyEnd, FamilyId, FoundRefresh, RefreshFamily, RefreshState, RefreshUnreachable,
    Spending, scope_text,
};

/// Exchanges a refresh token.
pub(super) async fn redeem<P: Ports>(
    oauth: &Oauth<P>,
    client: &Client,
    parameters: &Parameters,
) -> Result<TokenAnswer, OauthError> {
    let presented = parameters.required("refresh_token")?;
    let asked = read_scopes(parameters.get("scope"))?;
    let named = target::read(&oauth.url, parameters)?;
    if !is_refresh_token(presented) {
        return Err(invalid_grant());
    }
    let presented = PresentedSecret::new(presented.to_owned());
    let found = oauth.refresh.find(&presented).await.map_err(unavailable)?;
    // Another client's token is none of its business, and nothing happens to it.
    let found = found.filter(|found| found.family.client == client.id).ok_or_else(invalid_grant)?;
    must_be_of_this_password(oauth, &found).await?;
    must_be_good(oauth, &presented, &found).await?;
    let family = found.family;

    let grounds = oauth.grounds()?;
    let grant = must_count(oauth, &grounds, &family)?;
    if named.is_some_and(|named| named != family.instance) {
        let why = "this refresh token is for another resource";
        return Err(OauthError::new(OauthErrorCode::InvalidTarget, why));
    }
    target::of_organization(&grounds, grant.organization, Some(family.instance))?;
    must_be_vouched_for(oauth, &grounds, grant).await?;
    let now = grounds.client(client.id).ok_or_else(invalid_grant)?;
    let ask = asked.as_ref().map(scope_text);
    let scopes = narrowed(asked, [&family.scopes, &grant.scopes, &now.scopes])?;

    let holder = TokenHolder::User { user: grant.user, grant: grant.id };
    let successor = compose_refresh_token(&oauth.ports.entropy().secret());
    let spending = if found.state == RefreshState::SpentJustNow {
        oauth.refresh.answer_again(&presented).await
    } else {
        let mut answer = issue::issue(oauth, &grounds, client, holder, family.instance, scopes).await?;
        answer.refresh_token = Some(successor.reveal().to_owned());
        let kept = Kept { asked: ask.clone(), answer };
        let text =
            zeroize::Zeroizing::new(serde_json::to_vec(&kept).map_err(|_| unavailable(RefreshUnreachable))?);
        match oauth.refresh.spend(&presented, &successor, &text).await {
            Ok(Spending::Won) => return Ok(kept.answer),
            other => other,
        }
    };
    match spending.map_err(unavailable)? {
        Spending::Again(text) => {
            let kept: Kept = serde_json::from_slice(&text).map_err(|_| unavailable(RefreshUnreachable))?;
            if kept.asked != ask {
                let why = "this refresh token was used a moment ago for another scope; ask for that, or with the token that came of it";
                return Err(OauthError::new(OauthErrorCode::InvalidScope, why));
            }
            tracing::info!(grant.id = %family.grant, client.id = %family.client, "a spent refresh token was answered again");
            Ok(kept.answer)
        }
        Spending::Reused => Err(stolen(oauth, &family).await),
        Spending::Won | Spending::Over => Err(invalid_grant()),
    }
}

/// What the use of a token was answered, and to which ask: the resource is that of the family, whether it was named or not.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The scopes that were asked for, when any were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
    #[serde(flatten)]
    answer: TokenAnswer,
}

impl<P: Ports> Oauth<P> {
    /// An access token for what a user granted, and the first refresh token of a family where the client may refresh. For whoever redeems the code
    /// that came of the consent: the scopes are those of the code.
    pub async fn issue_first(
        &self,
        grounds: &Grounds,
        client: &Client,
        grant: &Grant,
        scopes: Scopes,
    ) -> Result<TokenAnswer, OauthError> {
        let holder = TokenHolder::User { user: grant.user, grant: grant.id };
        let mut answer = issue::issue(self, grounds, client, holder, grant.instance, scopes.clone()).await?;
        if !client.grant_types().contains(&GrantType::RefreshToken) {
            return Ok(answer);
        }
        let token: IssuedSecret = compose_refresh_token(&self.ports.entropy().secret());
        let family = RefreshFamily {
            id: FamilyId(self.ports.entropy().id()),
            grant: grant.id,
            client: client.id,
            instance: grant.instance,
            scopes,
        };
        self.refresh.begin(&family, &token, grant.expires_at).await.map_err(unavailable)?;
        answer.refresh_token = Some(token.reveal().to_owned());
        Ok(answer)
    }
}

/// Live, or spent so lately that this may be a retry.
async fn must_be_good<P: Ports>(
    oauth: &Oauth<P>,
    presented: &PresentedSecret,
    found: &FoundRefresh,
) -> Result<(), OauthError> {
    match found.state {
        RefreshState::Live | RefreshState::SpentJustNow => Ok(()),
        RefreshState::Over | RefreshState::Ended { told: true, .. } => Err(invalid_grant()),
        RefreshState::Ended { why, told: false } => {
            let _ = oauth.tell(ended(&found.family, why)).await; // whoever ended it died before that
            Err(invalid_grant())
        }
        RefreshState::SpentLongAgo => {
            match oauth.refresh.answer_again(presented).await.map_err(unavailable)? {
                Spending::Reused => Err(stolen(oauth, &found.family).await),
                Spending::Again(_) | Spending::Won | Spending::Over => Err(invalid_grant()),
            }
        }
    }
}

/// The grant, if a call with a token of it would be let in now.
fn must_count<'a, P>(
    oauth: &Oauth<P>,
    grounds: &'a Grounds,
    family: &RefreshFamily,
) -> Result<&'a Grant, OauthError> {
    let behind = || OauthError::unavailable("this node has not heard of the grant yet; try again");
    let grant = grounds.grant(family.grant).ok_or_else(behind)?;
    if standing::counts(grounds, grant, oauth.clock.now()) { Ok(grant) } else { Err(invalid_grant()) }
}

/// A family that began before its user changed their password ends here, and nothing else does.
async fn must_be_of_this_password<P: Ports>(
    oauth: &Oauth<P>,
    found: &FoundRefresh,
) -> Result<(), OauthError> {
    match found.state {
        RefreshState::Live | RefreshState::SpentJustNow | RefreshState::SpentLongAgo => {}
        RefreshState::Over | RefreshState::Ended { .. } => return Ok(()), // it is past ending
    }
    let family = &found.family;
    // Of which nobody here knows whose it is, no token is given out either.
    let Some(user) = oauth.grounds()?.grant(family.grant).map(|grant| grant.user) else { return Ok(()) };
    let replaced = replaced_since(&oauth.pool, user, found.began_at).await.map_err(|error| {
        tracing::warn!(error = %error, "whether a password was changed cannot be told");
        unavailable(RefreshUnreachable)
    })?;
    if !replaced {
        return Ok(());
    }
    let why = FamilyEnd::PasswordChanged;
    oauth.refresh.end(family.id, why).await.map_err(unavailable)?;
    let _ = oauth.tell(ended(family, why)).await; // if not now, then by the look at what is waiting
    Err(invalid_grant())
}

/// Whoever came from a provider goes on by its word, as long as that counts (`oauth.md`, case 36). Nobody can be led there from here: that it answers
/// is enough.
async fn must_be_vouched_for<P: Ports>(
    oauth: &Oauth<P>,
    grounds: &Grounds,
    grant: &Grant,
) -> Result<(), OauthError> {
    let behind = |error: &dyn std::fmt::Display| {
        tracing::warn!(error = %error, "what a grant rests on cannot be told");
        OauthError::unavailable("what this grant rests on cannot be told right now; try again")
    };
    let Some(provider) = ground_of(&oauth.pool, grant.id).await.map_err(|error| behind(&error))? else {
        return Ok(());
    };
    let provider = grounds.provider(&provider).ok_or_else(invalid_grant)?; // it was taken away
    let (providers, ports, pool) = (&oauth.providers, &*oauth.ports, &oauth.pool);
    let correlation = format!("grant {}", grant.id);
    let vouching = Vouching { providers, ports, pool, correlation: &correlation };
    match vouching.standing(grant.user, provider).await.map_err(|error| behind(&error))? {
        Standing::Vouched | Standing::ToRenew | Standing::Degraded => Ok(()),
        Standing::Over => Err(OauthError::unavailable(
            "the identity provider of this person does not answer, and vouched for them too long ago; try again later",
        )),
    }
}

/// What was asked for, if all three grant it; what is left of the first, if nothing was.
fn narrowed(asked: Option<Scopes>, all: [&Scopes; 3]) -> Result<Scopes, OauthError> {
    let Some(asked) = asked else {
        let left = standing::common(all);
        return if left.open_mcp() { Ok(left) } else { Err(invalid_grant()) };
    };
    let granted = asked.iter().all(Scope::opens_mcp) && all.iter().all(|scopes| scopes.grant_all(&asked));
    if granted {
        Ok(asked)
    } else {
        let why = "a refresh gives no more than was granted";
        Err(OauthError::new(OauthErrorCode::InvalidScope, why))
    }
}

/// A spent token came back: its family has ended, and the log is told.
async fn stolen<P: Ports>(oauth: &Oauth<P>, family: &RefreshFamily) -> OauthError {
    tracing::warn!(grant.id = %family.grant, client.id = %family.client, "a spent refresh token came back; its grant ends");
    let _ = oauth.tell(ended(family, FamilyEnd::Reused)).await; // if not now, then by the look at what is untold
    invalid_grant()
}

/// A family as one that has ended.
pub(super) const fn ended(family: &RefreshFamily, why: FamilyEnd) -> EndedFamily {
    EndedFamily { id: family.id, grant: family.grant, client: family.client, why }
}

fn invalid_grant() -> OauthError {
    let why = "this refresh token is not known, not this client's, or no longer good";
    OauthError::new(OauthErrorCode::InvalidGrant, why)
}

pub(super) fn unavailable(_: RefreshUnreachable) -> OauthError {
    OauthError::unavailable("refresh tokens cannot be reached right now; try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        text.split(' ').map(|scope| Scope::parse(scope).unwrap()).collect()
    }

    fn asked(asked: Option<&str>, all: [&str; 3]) -> Result<Scopes, OauthErrorCode> {
        let [family, grant, client] = all.map(scopes);
        narrowed(asked.map(scopes), [&family, &grant, &client]).map_err(|error| error.code())
    }

    #[test]
    fn item_16_a_refresh_never_widens() {
        for (wish, all) in [
            ("mcp:write", ["mcp:read", "mcp:write", "mcp:write"]),
            ("mcp:write", ["mcp:write", "mcp:read", "mcp:write"]),
            ("mcp:write", ["mcp:write", "mcp:write", "mcp:read"]),
            ("mcp:read org:read", ["mcp:read", "mcp:read", "mcp:read org:read"]),
        ] {
            assert_eq!(asked(Some(wish), all), Err(OauthErrorCode::InvalidScope), "{wish} of {all:?}");
        }
        assert_eq!(asked(None, ["mcp:read", "tool:echo", "mcp:read"]), Err(OauthErrorCode::InvalidGrant));
    }

    #[test]
    fn item_16_a_refresh_narrows_when_asked_and_when_less_is_granted_than_before() {
        assert_eq!(asked(Some("mcp:read"), ["mcp:write"; 3]), Ok(scopes("mcp:read")));
        assert_eq!(asked(None, ["mcp:write", "mcp:admin", "mcp:write"]), Ok(scopes("mcp:write")));
        assert_eq!(asked(None, ["mcp:write", "mcp:read", "mcp:write"]), Ok(scopes("mcp:read")));
    }
}
