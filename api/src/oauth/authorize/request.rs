//! An authorization request, read in the order that keeps a browser here until it is known where it may be sent: client, redirect, then the rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::client::{ClientDocument, GrantType};
use domain::policy::Standing;
use domain::value::{ClientId, ClientUrl, InstanceId, Scope};
use projections::access::{AccessView, Client};
use serde::{Deserialize, Serialize};

use super::error::AuthorizeError;
use super::redirect::{WayBack, is_registered};
use super::{RESPONSE_MODE, RESPONSE_TYPE};
use crate::limits::Subscriber;
use crate::oauth::documents::{ClientDocuments, DocumentFault};
use crate::oauth::fetched::FetchFault;
use crate::oauth::form::form_decode;
use crate::oauth::pkce::METHOD;
use crate::oauth::{Challenge, Parameters};
use crate::pages::Fault;
use crate::token::{PublicUrl, id_of};

/// Scopes in one request; a person is to read them all.
const SCOPES_MAX: usize = 40;
/// What a client knows its own request by.
const STATE_BYTES_MAX: usize = 4 * 1024;

/// A request of a client that is known, with a way back to it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Whose.
    pub(super) client: Arc<Client>,
    /// What it is described by, where it is known by that.
    document: Option<Arc<ClientDocument>>,
    /// Where the answer goes.
    pub(super) back: WayBack,
}

/// What a client wants, read whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// The client.
    pub(super) client: ClientId,
    /// What it is described by, as the person sees it, where it is known by that.
    pub(super) document: Option<ClientDocument>,
    /// Where the answer goes.
    pub(super) back: WayBack,
    /// What the code will be redeemed with.
    pub(super) challenge: String,
    /// The instance, where one is named.
    pub(super) instance: Option<InstanceId>,
    /// The scopes, where any are named.
    pub(super) scopes: Option<BTreeSet<Scope>>,
}

/// Reads who asks and where the answer goes. Until that is known, a browser is sent nowhere (RFC 6749, 4.1.2.1).
pub(super) async fn asked(
    view: &AccessView,
    documents: &ClientDocuments,
    query: &str,
    asker: Subscriber,
) -> Result<Asked, Fault> {
    match named(query)? {
        Named::Document(url) => {
            let document = documents.get(&url, asker).await.map_err(|fault| match fault {
                DocumentFault::Off => Fault::UnknownClient,
                DocumentFault::Fetch(FetchFault::Busy) => Fault::TooOften,
                DocumentFault::Fetch(
                    FetchFault::NotFetched(_) | FetchFault::NoDocument(_) | FetchFault::Unfit(_),
                ) => Fault::NoDocument,
            })?;
            with_way_back(described(view, &document), Some(document), query)
        }
        Named::Id(id) => with_way_back(active(view, id), None, query),
    }
}

/// The same, of what is at hand.
pub(super) fn asked_at_once(
    view: &AccessView,
    documents: &ClientDocuments,
    query: &str,
) -> Result<Asked, Fault> {
    match named(query)? {
        Named::Document(url) => {
            let document = documents.at_hand(&url).ok_or(Fault::NoDocument)?;
            with_way_back(described(view, &document), Some(document), query)
        }
        Named::Id(id) => with_way_back(active(view, id), None, query),
    }
}

/// How a client calls itself.
enum Named {
    Id(ClientId),
    Document(ClientUrl),
}

fn named(query: &str) -> Result<Named, Fault> {
    let text = only(query, "client_id")?.ok_or(Fault::UnknownClient)?;
    if let Ok(url) = ClientUrl::parse(&text) {
        return Ok(Named::Document(url));
    }
    let id = ClientId::parse(&text).ok().filter(|id| id.to_string() == text);
    id.map(Named::Id).ok_or(Fault::UnknownClient)
}

/// A client that is known by its id.
fn active(view: &AccessView, id: ClientId) -> Option<Arc<Client>> {
    let client = view.client(id).filter(|client| client.standing == Standing::Active);
    client.filter(|client| client.document.is_none()).cloned()
}

/// A client that is known by its document, as that describes it; none when it was turned off here.
fn described(view: &AccessView, document: &ClientDocument) -> Option<Arc<Client>> {
    let id = id_of(&document.url);
    let held = view.client(id);
    let counts = held.is_none_or(|held| {
        held.standing == Standing::Active && held.document.as_deref() == Some(&document.url)
    });
    counts.then(|| Arc::new(Client::described(id, document.clone())))
}

fn with_way_back(
    client: Option<Arc<Client>>,
    document: Option<Arc<ClientDocument>>,
    query: &str,
) -> Result<Asked, Fault> {
    let client = client.ok_or(Fault::UnknownClient)?;
    let mut registered = client.redirect_uris.iter();
    let redirect_uri = match only(query, "redirect_uri")? {
        Some(sent) if registered.any(|uri| is_registered(uri, &sent)) => sent,
        Some(_) => return Err(Fault::UnknownRedirect),
        // There is only one that it can mean (RFC 6749, 3.1.2.3).
        None => match (registered.next(), registered.next()) {
            (Some(only), None) => only.as_str().to_owned(),
            (_, _) => return Err(Fault::UnknownRedirect),
        },
    };
    // One that is there twice is no state: whichever came back would be a guess.
    let state = only(query, "state").ok().flatten().filter(|state| state.len() <= STATE_BYTES_MAX);
    Ok(Asked { client, document, back: WayBack { redirect_uri, state } })
}

/// The one value of a parameter in a query of which nothing else is known yet.
fn only(query: &str, name: &str) -> Result<Option<String>, Fault> {
    let pairs = query.split('&').filter_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decode(key.as_bytes()).as_deref() == Some(name)).then_some(value)
    });
    let mut values = pairs.map(|value| form_decode(value.as_bytes()).ok_or(Fault::Malformed));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.map(|value| (!value.is_empty()).then_some(value)),
        (Some(_), Some(_)) => Err(Fault::Malformed),
    }
}

impl Wanted {
    /// The client, if it may ask for anything.
    pub(super) fn client_in(&self, view: &AccessView) -> Option<Arc<Client>> {
        match &self.document {
            Some(document) => described(view, document),
            None => active(view, self.client),
        }
    }
}

impl Asked {
    /// Reads the rest. Whatever is wrong now is told to the client.
    pub(super) fn read(&self, query: &str, url: &PublicUrl) -> Result<Wanted, AuthorizeError> {
        let parameters = Parameters::parse(query.as_bytes()).map_err(|_| AuthorizeError::Unreadable)?;
        if parameters.get("state").is_some() && self.back.state.is_none() {
            return Err(AuthorizeError::Unreadable); // longer than we carry
        }
        match parameters.get("response_type") {
            None => return Err(AuthorizeError::NoResponseType),
            Some(RESPONSE_TYPE) => {}
            Some(_) => return Err(AuthorizeError::ResponseType),
        }
        if parameters.get("response_mode").is_some_and(|mode| mode != RESPONSE_MODE) {
            return Err(AuthorizeError::ResponseMode);
        }
        if !self.client.grant_types().contains(&GrantType::AuthorizationCode) {
            return Err(AuthorizeError::Client);
        }
        Ok(Wanted {
            client: self.client.id,
            document: self.document.as_deref().cloned(),
            back: self.back.clone(),
            challenge: challenge(&parameters)?,
            instance: instance(&parameters, url)?,
            scopes: scopes(&parameters)?,
        })
    }
}

/// S256 alone; no method at all means `plain` (RFC 7636, 4.3), which is none here.
fn challenge(parameters: &Parameters) -> Result<String, AuthorizeError> {
    if parameters.get("code_challenge_method") != Some(METHOD) {
        return Err(AuthorizeError::Challenge);
    }
    let challenge = parameters.get("code_challenge").and_then(Challenge::parse);
    challenge.map(|challenge| challenge.text()).ok_or(AuthorizeError::Challenge)
}

/// A token is for one instance: the same one may be named twice, another one not.
fn instance(parameters: &Parameters, url: &PublicUrl) -> Result<Option<InstanceId>, AuthorizeError> {
    let mut named = parameters.all("resource").iter().map(|resource| url.instance_named(resource));
    let Some(first) = named.next() else { return Ok(None) };
    if named.any(|other| other != first) {
        return Err(AuthorizeError::Target);
    }
    first.map(Some).ok_or(AuthorizeError::Target)
}

/// Scopes that nobody here knows are left out, as are those that open no instance: what is granted is said in the token response.
fn scopes(parameters: &Parameters) -> Result<Option<BTreeSet<Scope>>, AuthorizeError> {
    let Some(text) = parameters.get("scope") else { return Ok(None) };
    let may_stand = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let tokens: Vec<&str> = text.split(' ').filter(|token| !token.is_empty()).collect();
    if tokens.len() > SCOPES_MAX || !tokens.iter().all(|token| token.bytes().all(may_stand)) {
        return Err(AuthorizeError::Scope);
    }
    let known: BTreeSet<Scope> =
        tokens.iter().filter_map(|token| Scope::parse(token).ok()).filter(Scope::opens_mcp).collect();
    if known.is_empty() { Err(AuthorizeError::Scope) } else { Ok(Some(known)) }
}
