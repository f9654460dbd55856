//! `/v1/deployment/identity-providers`: where people may sign in, for administrators of the deployment.

use std::collections::BTreeSet;

use axum::extract::State;
use commands::Ports;
use commands::deployment::{
    AddProvider, ChangeProvider, ClientSecretChange, ProviderSettings, RemoveProvider,
};
use domain::deployment::AccountMatching;
use domain::value::{
    DisplayName, Issuer, PresentedSecret, ProviderClientId, ProviderId, ProviderScope, Scope,
};
use http::Method;
use projections::access::Provider;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::ask::{Answered, Asker};
use super::shapes::{Changed, Nothing, one_of};
use super::{Access, Admin, Area, Command, Listed, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/deployment/identity-providers";
const ONE: &str = "/v1/deployment/identity-providers/{provider}";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Administrator(Scope::OrgRead);
    let writes = || Access::Administrator(Scope::OrgWrite);
    Area::new(
        "Identity providers",
        "OpenID Connect providers that people sign in with. Each sends them back to {public URL}/sign-in/callback/{provider}.",
    )
    .make::<NewProvider, Changed, _, _>(
        ALL,
        writes(),
        "addIdentityProvider",
        "Let people sign in with a provider",
        add::<P>,
    )
    .read::<Listed<IdentityProvider>, _, _>(
        ALL,
        reads(),
        "listIdentityProviders",
        "The providers, and whether this node reaches them",
        list::<P>,
    )
    .change::<ProviderBody, Changed, _, _>(
        Method::PUT,
        ONE,
        writes(),
        "changeIdentityProvider",
        "Replace everything about a provider but its issuer",
        change::<P>,
    )
    .act::<Changed, _, _>(
        Method::DELETE,
        ONE,
        writes(),
        "removeIdentityProvider",
        "Let nobody sign in with a provider any more: sessions and grants that rest on it end",
        remove::<P>,
    )
}

/// A provider to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewIdentityProvider)]
struct NewProvider {
    /// Its short name, in addresses: 2 to 39 of a-z, 0-9 and single dashes inside.
    #[schema(value_type = String, example = "acme")]
    provider: ProviderId,
    /// Its issuer, letter by letter as its tokens say it: https, or http on loopback. It never changes.
    #[schema(value_type = String, example = "https://id.example.com")]
    issuer: Issuer,
    /// What its button says.
    #[schema(value_type = String, example = "Acme ID")]
    name: DisplayName,
    /// What it calls this deployment.
    #[schema(value_type = String, example = "sekisho")]
    client_id: ProviderClientId,
    /// The secret that it gave us; left out for a public client.
    #[serde(default, deserialize_with = "secret")]
    #[schema(value_type = Option<String>, format = Password)]
    client_secret: Option<PresentedSecret>,
    /// What it is asked for beside `openid`; at most 20.
    #[serde(default = "usual_scopes")]
    #[schema(value_type = Vec<String>, example = json!(["email", "profile"]))]
    scopes: BTreeSet<ProviderScope>,
    /// How accounts are matched.
    #[serde(default)]
    #[schema(schema_with = matchings)]
    matching: AccountMatching,
}

/// All that may change about a provider.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IdentityProviderSettings)]
struct ProviderBody {
    /// What its button says.
    #[schema(value_type = String, example = "Acme ID")]
    name: DisplayName,
    /// What it calls this deployment.
    #[schema(value_type = String, example = "sekisho")]
    client_id: ProviderClientId,
    /// Another secret; left out, the one in force stays; null, there is none any more.
    #[serde(default = "kept", deserialize_with = "change_of_secret")]
    #[schema(value_type = Option<String>, format = Password)]
    client_secret: ClientSecretChange,
    /// What it is asked for beside `openid`; at most 20.
    #[serde(default = "usual_scopes")]
    #[schema(value_type = Vec<String>, example = json!(["email", "profile"]))]
    scopes: BTreeSet<ProviderScope>,
    /// How accounts are matched.
    #[serde(default)]
    #[schema(schema_with = matchings)]
    matching: AccountMatching,
}

/// A provider.
#[derive(Debug, Serialize, ToSchema)]
struct IdentityProvider {
    /// Its short name.
    provider: String,
    /// What its button says.
    name: String,
    /// Its issuer.
    issuer: String,
    /// What it calls this deployment.
    client_id: String,
    /// Whether a client secret is kept.
    has_client_secret: bool,
    /// What it is asked for beside `openid`.
    scopes: Vec<String>,
    /// How accounts are matched.
    #[schema(schema_with = matchings)]
    matching: &'static str,
    /// Where it must be told to send people back to.
    callback: String,
    /// Whether the node that answers reaches it: `closed` as far as it knows; `open` after failures in a row, until one request may try again
    /// (`half_open`).
    #[schema(schema_with = breakers)]
    breaker: &'static str,
    /// Whether people who came from it go on by its word of before.
    degraded: bool,
}

fn matchings() -> Object {
    one_of(
        ["identity", "verified_email"],
        "By the identity alone; or also by an e-mail address that the provider verified, and only with the user who is signed in at that moment",
    )
}

fn breakers() -> Object {
    one_of(["closed", "open", "half_open"], "How far the breaker is on the node that answers")
}

fn usual_scopes() -> BTreeSet<ProviderScope> {
    ["email", "profile"].iter().filter_map(|text| ProviderScope::parse(text).ok()).collect()
}

/// Errors of the reader repeat what they met; of a secret they must not.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PresentedSecret>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)
        .map_err(|_| serde::de::Error::custom("a client secret is a string"))?;
    Ok(text.map(PresentedSecret::new))
}

const fn kept() -> ClientSecretChange {
    ClientSecretChange::Keep
}

fn change_of_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ClientSecretChange, D::Error> {
    Ok(match secret(deserializer)? {
        Some(secret) => ClientSecretChange::Replace(secret),
        None => ClientSecretChange::Remove,
    })
}

async fn add<P: Ports + 'static>(
    asker: Asker<P>,
    Command { body, order }: Command<NewProvider>,
) -> Answered<Changed> {
    let NewProvider { provider, issuer, name, client_id, client_secret, scopes, matching } = body;
    let settings = ProviderSettings { name, client_id, scopes, matching };
    asker.change(order, &AddProvider { provider, issuer, settings, secret: client_secret }).await
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
) -> Result<Listed<IdentityProvider>, Problem> {
    let degraded: Vec<String> = sqlx::query_scalar(
        "select distinct provider from provider_vouchers where degraded_since is not null",
    )
    .fetch_all(&admin.pool)
    .await?;
    let view = admin.view.load();
    let shown = |provider: &std::sync::Arc<Provider>| IdentityProvider {
        provider: provider.id.to_string(),
        name: provider.name.to_string(),
        issuer: provider.issuer.to_string(),
        client_id: provider.client_id.to_string(),
        has_client_secret: provider.secret.is_some(),
        scopes: provider.scopes.iter().map(ProviderScope::to_string).collect(),
        matching: provider.matching.as_str(),
        callback: admin.providers.callback(provider),
        breaker: admin.providers.breaker(provider).as_str(),
        degraded: degraded.iter().any(|id| id == provider.id.as_str()),
    };
    Ok(Listed { items: view.providers().map(shown).collect(), next_cursor: None })
}

async fn change<P: Ports + 'static>(
    asker: Asker<P>,
    Path(provider): Path<ProviderId>,
    Command { body, order }: Command<ProviderBody>,
) -> Answered<Changed> {
    let ProviderBody { name, client_id, client_secret, scopes, matching } = body;
    let settings = ProviderSettings { name, client_id, scopes, matching };
    asker.change(order, &ChangeProvider { provider, settings, secret: client_secret }).await
}

async fn remove<P: Ports + 'static>(
    asker: Asker<P>,
    Path(provider): Path<ProviderId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &RemoveProvider { provider }).await
}
