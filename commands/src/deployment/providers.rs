//! Which identity providers people sign in with. Only administrators of the deployment.
//!
//! A client secret is sealed beside the log before an event names where it lies; one that no event names is forgotten.

use std::collections::BTreeSet;

use domain::deployment::{AccountMatching, Deployment, DeploymentCommand, DeploymentError, ProviderTerms};
use domain::value::{
    DeploymentId, DisplayName, Issuer, PresentedSecret, ProviderClientId, ProviderId, ProviderScope,
    ProviderSecretId,
};

use crate::access::administrator;
use crate::{Actor, Entropy as _, Ports, Refused, Unit, UseCase, Vault as _};

/// A client secret: as long as a request header can reasonably be.
pub const PROVIDER_SECRET_BYTES_MAX: usize = 2 * 1024;

/// What may change about a provider, its secret left out.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// What its button says.
    pub name: DisplayName,
    /// What it calls this deployment.
    pub client_id: ProviderClientId,
    /// What it is asked for beside `openid`.
    pub scopes: BTreeSet<ProviderScope>,
    /// How accounts are matched.
    pub matching: AccountMatching,
}

/// What becomes of the client secret.
#[derive(Debug)]
pub enum ClientSecretChange {
    /// The one in force stays.
    Keep,
    /// This one takes its place.
    Replace(PresentedSecret),
    /// There is none from now on: a public client.
    Remove,
}

/// Let people sign in with a provider.
#[derive(Debug)]
pub struct AddProvider {
    /// Which.
    pub provider: ProviderId,
    /// Whom it speaks for.
    pub issuer: Issuer,
    /// How.
    pub settings: ProviderSettings,
    /// The client secret; none for a public client.
    pub secret: Option<PresentedSecret>,
}

/// Go on with a provider in another way.
#[derive(Debug)]
pub struct ChangeProvider {
    /// Which.
    pub provider: ProviderId,
    /// How, all of it.
    pub settings: ProviderSettings,
    /// What becomes of the client secret.
    pub secret: ClientSecretChange,
}

/// Let nobody sign in with a provider any more.
#[derive(Debug)]
pub struct RemoveProvider {
    /// Which.
    pub provider: ProviderId,
}

impl UseCase for AddProvider {
    type Answer = ();

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<(), Refused> {
        administrator(unit, actor).await?;
        let secret = match &self.secret {
            Some(secret) => Some(seal(ports, unit, secret).await?),
            None => None,
        };
        let (provider, issuer) = (self.provider.clone(), self.issuer.clone());
        let add = DeploymentCommand::AddProvider { provider, issuer, terms: self.settings.with(secret) };
        unit.decide::<Deployment>(DeploymentId, add).await
    }
}

impl UseCase for ChangeProvider {
    type Answer = ();

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<(), Refused> {
        administrator(unit, actor).await?;
        let deployment = unit.load::<Deployment>(DeploymentId).await?;
        let held = deployment.provider(&self.provider).ok_or(DeploymentError::UnknownProvider)?;
        let secret = match &self.secret {
            ClientSecretChange::Keep => held.secret,
            ClientSecretChange::Replace(secret) => Some(seal(ports, unit, secret).await?),
            ClientSecretChange::Remove => None,
        };
        let terms = self.settings.with(secret);
        let change = DeploymentCommand::ChangeProvider { provider: self.provider.clone(), terms };
        unit.decide::<Deployment>(DeploymentId, change).await
    }
}

impl UseCase for RemoveProvider {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        administrator(unit, actor).await?;
        let remove = DeploymentCommand::RemoveProvider { provider: self.provider.clone() };
        unit.decide::<Deployment>(DeploymentId, remove).await
    }
}

impl ProviderSettings {
    fn with(&self, secret: Option<ProviderSecretId>) -> ProviderTerms {
        let Self { name, client_id, scopes, matching } = self.clone();
        ProviderTerms { name, client_id, scopes, matching, secret }
    }
}

/// Seals a secret once, however often the use case is tried. The refusal never repeats it.
async fn seal<P: Ports>(
    ports: &P,
    unit: &Unit<'_, P::Log>,
    secret: &PresentedSecret,
) -> Result<ProviderSecretId, Refused> {
    let text = secret.reveal();
    let fits = !text.is_empty() && text.len() <= PROVIDER_SECRET_BYTES_MAX;
    if !fits || !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        let why = format!("a client secret has 1 to {PROVIDER_SECRET_BYTES_MAX} printable ASCII characters");
        return Err(Refused::Invalid(why));
    }
    if let Some(kept) = unit.kept::<ProviderSecretId>() {
        return Ok(kept);
    }
    let id = ProviderSecretId::new(ports.entropy().id());
    ports.vault().keep(id, secret).await?;
    unit.keep(id);
    Ok(id)
}
