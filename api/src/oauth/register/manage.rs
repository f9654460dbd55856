//! `/oauth/register/{client}`: a client that registered itself reads, replaces and ends its registration, by its registration access token (RFC 7592).
//!
//! The token is told again in each answer, never another one, so that an answer that is lost on its way costs nothing. It is the client's until the
//! client is gone, or until whoever answers for it revokes the token or changes the client: what an administrator narrowed, the client does not widen
//! again. There is no token after that one. A client that is unknown, gone, taken over, of a suspended organization or somebody else's looks like a
//! wrong token (2.1).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use commands::client::{DescribeItself, Leave};
use commands::{Actor, Ports, UseCase, carry_out};
use domain::client::{ClientAuthentication, ItselfDescribed};
use domain::policy::Standing;
use domain::value::{ClientId, IssuedSecret, PresentedSecret};
use http::{HeaderMap, Method, StatusCode};
use projections::access::{Client, Grounds, OwnRegistration};
use serde::Deserialize;
use serde::de::IgnoredAny;
use utoipa::ToSchema;

use super::answer::{RegisteredMetadata, Shown};
use super::read::{ClientMetadata, bytes_max, read_json};
use super::{PATH, answered, order, refused};
use crate::limits::{Subscriber, Surface};
use crate::oauth::Oauth;
use crate::oauth::bearer::bearer;
use crate::oauth::error::{OauthError, OauthErrorCode, no_store};
use crate::oauth::metadata::PUBLIC;
use crate::oauth::table::{OauthAccess, OauthRoute};

type Named = Result<Path<String>, PathRejection>;

/// The routes.
pub(super) fn routes<P: Ports + 'static>() -> [OauthRoute<P>; 3] {
    let path = format!("{PATH}/{{client}}");
    let access = OauthAccess::OwnRegistration;
    let read = "What a client is registered as (RFC 7592, 2.1)";
    let replace =
        "Replace what a client says of itself (RFC 7592, 2.2), until whoever answers for it changes it";
    let end = "End a client (RFC 7592, 2.3)";
    [
        OauthRoute::at(Method::GET, &path, access, "getOwnRegistration", read, show::<P>)
            .answering::<RegisteredMetadata>(StatusCode::OK)
            .limited(Surface::Register),
        OauthRoute::at(Method::PUT, &path, access, "replaceOwnRegistration", replace, replace_all::<P>)
            .taking::<Replacement>()
            .answering::<RegisteredMetadata>(StatusCode::OK)
            .limited(Surface::Register),
        OauthRoute::at(Method::DELETE, &path, access, "endOwnRegistration", end, leave::<P>)
            .limited(Surface::Register),
    ]
}

/// What a client is to be from now on: all of it. What the server gives out is not the client's to say.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ClientMetadataReplacement)]
struct Replacement {
    #[serde(flatten)]
    metadata: ClientMetadata,
    /// Its id.
    client_id: Option<String>,
    /// Its secret, if it wants to say it: the one that it has.
    client_secret: Option<String>,
    #[schema(ignore)]
    registration_access_token: Option<IgnoredAny>,
    #[schema(ignore)]
    registration_client_uri: Option<IgnoredAny>,
    #[schema(ignore)]
    client_secret_expires_at: Option<IgnoredAny>,
    #[schema(ignore)]
    client_id_issued_at: Option<IgnoredAny>,
}

/// A client that showed its registration access token.
struct Known {
    client: Arc<Client>,
    own: Arc<OwnRegistration>,
    token: PresentedSecret,
}

impl<P: Ports> Oauth<P> {
    fn known(&self, grounds: &Grounds, named: Named, headers: &HeaderMap) -> Result<Known, OauthError> {
        let token = bearer(headers)?.ok_or_else(OauthError::no_token)?;
        let refused = OauthError::invalid_token;
        let Path(text) = named.map_err(|_| refused())?;
        let id = ClientId::parse(&text).ok().filter(|id| id.to_string() == text).ok_or_else(refused)?;
        let client = grounds.client(id).filter(|client| client.standing != Standing::Ended);
        let counts = |owner| grounds.organization(owner) == Standing::Active;
        let client = client.filter(|client| client.organization.is_none_or(counts));
        let client = Arc::clone(client.ok_or_else(refused)?);
        let own = Arc::clone(client.own.as_ref().ok_or_else(refused)?);
        let held = own.token.as_ref().ok_or_else(refused)?;
        if !self.keys.matches(&token, held) {
            return Err(refused());
        }
        if client.standing == Standing::Suspended {
            let why = "this client is disabled; whoever answers for this deployment can say why";
            return Err(OauthError::new(OauthErrorCode::AccessDenied, why));
        }
        Ok(Known { client, own, token })
    }

    async fn carry_out_itself<U: UseCase<Answer = ()>>(
        &self,
        client: ClientId,
        headers: &HeaderMap,
        use_case: &U,
    ) -> Result<(), OauthError> {
        let done = carry_out(&*self.ports, &Actor::client(client), order(headers), use_case).await;
        self.acts_by(done.map_err(refused)?.position).await;
        Ok(())
    }
}

async fn show<P: Ports + 'static>(
    State(oauth): State<Oauth<P>>,
    named: Named,
    headers: HeaderMap,
) -> Result<Response, OauthError> {
    let known = oauth.known(&oauth.grounds()?, named, &headers)?;
    let description = described(&known);
    Ok(known.answer(&oauth, &description))
}

async fn replace_all<P: Ports + 'static>(
    State(oauth): State<Oauth<P>>,
    named: Named,
    asker: Subscriber,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthError> {
    let known = oauth.known(&oauth.grounds()?, named, &headers)?;
    let said: Replacement = read_json(&headers, body, bytes_max(known.client.organization)).await?;
    let id = known.client.id;
    said.must_be_of(id)?;
    said.must_prove_itself_as_before(&known.client)?;
    oauth.must_know_its_secret(&known.client, said.client_secret.as_deref(), asker).await?;
    let mut description = said.metadata.description(id)?;
    description.keys = said.metadata.keys()?;
    if description.keys.is_some() != known.client.keys.is_some() {
        let why = "jwks or jwks_uri belongs to private_key_jwt, and private_key_jwt to one of them";
        return Err(OauthError::new(OauthErrorCode::InvalidClientMetadata, why));
    }
    let use_case = DescribeItself { client: id, description: description.clone() };
    oauth.carry_out_itself(id, &headers, &use_case).await?;
    Ok(known.answer(&oauth, &description))
}

async fn leave<P: Ports + 'static>(
    State(oauth): State<Oauth<P>>,
    named: Named,
    headers: HeaderMap,
) -> Result<Response, OauthError> {
    let client = oauth.known(&oauth.grounds()?, named, &headers)?.client.id;
    oauth.carry_out_itself(client, &headers, &Leave { client }).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    no_store(response.headers_mut());
    Ok(response)
}

fn described(known: &Known) -> ItselfDescribed {
    let Known { client, own, .. } = known;
    ItselfDescribed {
        name: client.name.clone(),
        redirect_uris: client.redirect_uris.clone(),
        scopes: client.scopes.clone(),
        grant_types: client.grant_types(),
        about: own.about.clone(),
        keys: client.keys.clone(),
    }
}

impl Known {
    fn answer<P>(&self, oauth: &Oauth<P>, description: &ItselfDescribed) -> Response {
        let token = IssuedSecret::new(self.token.reveal().to_owned());
        let shown = Shown::known(&self.client, self.own.since, description, description.keys.as_ref(), token);
        answered(StatusCode::OK, shown.metadata(&oauth.url))
    }
}

impl Replacement {
    /// RFC 7592, 2.2.
    fn must_be_of(&self, id: ClientId) -> Result<(), OauthError> {
        if self.client_id.as_deref() != Some(id.to_string().as_str()) {
            return Err(OauthError::invalid_request("client_id is that of the client at this address"));
        }
        let given_out = [
            &self.registration_access_token,
            &self.registration_client_uri,
            &self.client_secret_expires_at,
            &self.client_id_issued_at,
        ];
        if given_out.iter().any(|member| member.is_some()) {
            let why = "registration_access_token, registration_client_uri, client_secret_expires_at and \
                       client_id_issued_at are not the client's to say";
            return Err(OauthError::invalid_request(why));
        }
        Ok(())
    }

    /// How a client proves itself is what it is; another way is another client.
    fn must_prove_itself_as_before(&self, client: &Client) -> Result<(), OauthError> {
        let before = client.authentication.map_or(PUBLIC, ClientAuthentication::as_str);
        if self.metadata.method().unwrap_or(before) == before {
            return Ok(());
        }
        let why = "token_endpoint_auth_method stays as it is; register another client instead";
        Err(OauthError::new(OauthErrorCode::InvalidClientMetadata, why))
    }
}

impl<P> Oauth<P> {
    /// A client chooses no secret: what it says is the one that it has, or nothing (RFC 7592, 2.2).
    async fn must_know_its_secret(
        &self,
        client: &Client,
        said: Option<&str>,
        asker: Subscriber,
    ) -> Result<(), OauthError> {
        let Some(said) = said else { return Ok(()) };
        if self.is_secret_of(client, &PresentedSecret::new(said.to_owned()), asker).await? {
            Ok(())
        } else {
            Err(OauthError::invalid_request("client_secret is not this client's, and it chooses none"))
        }
    }
}
