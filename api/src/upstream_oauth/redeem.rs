//! The way back from an authorization server: whose answer it is, and what its code is good for (RFC 6749, 4.1.2 to 4.1.4; RFC 9207, 2.4).
//!
//! Nothing of an answer is believed, not even that it is an error, before it is known from whom it comes: whoever mixes up two servers must neither
//! get a code nor have anybody told something in another's name (`oauth.md`, case 24).

use commands::Ports;
use commands::connection::Authorize;
use domain::server::UpstreamGrant;
use domain::value::{ConnectionId, OrganizationId};
use mcp::upstream::Reach;

use super::begin::Place;
use super::client::forget;
use super::kept::Kept;
use super::tokens::{Counter, NotGiven, readable};
use super::visits::Errand;
use super::{Traveller, Trouble, UpstreamOauth};
use crate::oauth::Parameters;

/// What somebody came back with, kept and ready to be put in force.
#[derive(Debug)]
pub(crate) struct Redeemed {
    /// In which organization.
    pub(crate) organization: OrganizationId,
    /// For which connection.
    pub(crate) connection: ConnectionId,
    /// What is to be asked for.
    pub(crate) authorize: Authorize,
}

impl<P: Ports + 'static> UpstreamOauth<P> {
    /// What somebody came back with is good for.
    pub(crate) async fn redeem(
        &self,
        traveller: Traveller<'_>,
        back: &Parameters,
    ) -> Result<Redeemed, Trouble> {
        let state = back.get("state").ok_or(Trouble::Stale)?;
        let visit = self.visits().take(traveller, state).await?.ok_or(Trouble::Stale)?;
        let (organization, connection, errand) = (visit.organization, visit.connection, visit.errand);
        must_be_from(&errand, back.get("iss"))?;
        if let Some(error) = back.get("error") {
            return Err(Trouble::Denied(readable(error)));
        }
        let code = back.get("code").ok_or(Trouble::Stale)?;
        let reach = self.reach(connection, errand.beside_the_server).ok_or(Trouble::Gone)?;
        let counter = Counter { endpoint: &errand.endpoint, reach, client: &errand.client };
        let callback = self.callback();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", callback.as_str()),
            ("code_verifier", errand.verifier.as_str()),
            ("resource", errand.resource.as_str()),
        ];
        let tokens = counter.ask(&*self.0.parts.calls, &form).await;
        if let Err(refused) = &tokens {
            self.unlearn(organization, errand.issuer.as_str(), refused).await;
        }
        let tokens = tokens?;
        let kept = Kept {
            access_token: tokens.access_token.clone(),
            refresh_token: tokens.refresh_token.clone(),
            life_seconds: tokens.expires_in,
            grant: UpstreamGrant::AuthorizationCode,
            organization,
            issuer: errand.issuer.clone(),
            endpoint: errand.endpoint.clone(),
            beside_the_server: errand.beside_the_server,
            resource: errand.resource.clone(),
            scope: errand.scope.clone(),
            client: errand.client.clone(),
        };
        let place = Place { organization, connection };
        let authorize = self.keep(place, kept, &tokens, (Some(traveller.user), &errand.meant_for)).await?;
        Ok(Redeemed { organization, connection, authorize })
    }

    /// How what lies beside a server, or elsewhere, is reached; nothing when the server is gone.
    pub(super) fn reach(&self, connection: ConnectionId, beside_the_server: bool) -> Option<Reach> {
        let view = self.0.parts.view.load();
        let (_, server) = view.upstream(connection)?;
        let own = beside_the_server && server.organization.is_none();
        Some(if own { Reach::Anywhere } else { Reach::OpenNetworks })
    }

    /// A client that is not known any more is registered anew the next time.
    pub(super) async fn unlearn(&self, organization: OrganizationId, issuer: &str, refused: &NotGiven) {
        if refused.is_about_the_client()
            && let Err(error) = forget(&self.0.parts.pool, organization, issuer).await
        {
            tracing::warn!(error = %error, "a registration that is of no use cannot be forgotten");
        }
    }
}

/// Exactly the issuer that was asked, letter by letter; and no answer of nobody's where it always names itself.
fn must_be_from(errand: &Errand, named: Option<&str>) -> Result<(), Trouble> {
    match named {
        Some(named) if named == errand.issuer.as_str() => Ok(()),
        None if !errand.names_itself => Ok(()),
        Some(_) | None => Err(Trouble::Mixed),
    }
}
