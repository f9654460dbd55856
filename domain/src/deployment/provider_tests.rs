//! Rules about identity providers. Refusals first.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{
    AccountMatching, Deployment, DeploymentCommand as Ask, DeploymentError as No, DeploymentEvent as Did,
    PROVIDERS_MAX, ProviderTerms,
};
use crate::given::{Given, given};
use crate::value::{DisplayName, Issuer, ProviderClientId, ProviderId, UserId};

fn deployment(then: Vec<Did>) -> Given<Deployment> {
    let mut past = vec![Did::Bootstrapped { administrator: UserId::new(Uuid::from_u128(1)) }];
    past.extend(then);
    given(past)
}

fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

fn provider(id: &str) -> ProviderId {
    ProviderId::parse(id).unwrap()
}

fn speaks_for(issuer: &str) -> Issuer {
    Issuer::parse(issuer).unwrap()
}

fn terms(label: &str) -> ProviderTerms {
    ProviderTerms {
        name: name(label),
        client_id: ProviderClientId::parse("sekisho").unwrap(),
        scopes: BTreeSet::new(),
        matching: AccountMatching::Identity,
        secret: None,
    }
}

fn add(id: &str, issuer: &str, label: &str) -> Ask {
    Ask::AddProvider { provider: provider(id), issuer: speaks_for(issuer), terms: terms(label) }
}

fn change(id: &str, label: &str) -> Ask {
    Ask::ChangeProvider { provider: provider(id), terms: terms(label) }
}

fn added(id: &str, issuer: &str, label: &str) -> Did {
    let ProviderTerms { name, client_id, scopes, matching, secret } = terms(label);
    let (provider, issuer) = (provider(id), speaks_for(issuer));
    Did::ProviderAdded { provider, name, issuer, client_id, scopes, matching, secret }
}

fn removed(id: &str) -> Did {
    Did::ProviderRemoved { provider: provider(id) }
}

const ACME_ID: &str = "https://id.acme.example";
const OTHER_ID: &str = "https://id.other.example";

#[test]
fn before_the_bootstrap_and_under_an_unknown_name_there_is_no_provider() {
    given::<Deployment>(vec![]).when(add("acme", ACME_ID, "Acme")).refused(&No::Unknown);
    deployment(vec![]).when(change("acme", "Acme")).refused(&No::UnknownProvider);
    deployment(vec![]).when(Ask::RemoveProvider { provider: provider("acme") }).refused(&No::UnknownProvider);
}

#[test]
fn attack_23_what_a_provider_was_entrusted_with_goes_to_no_other_issuer() {
    let here = || vec![added("acme", ACME_ID, "Acme")];
    deployment(here()).when(add("acme", OTHER_ID, "Acme")).refused(&No::ProviderOfAnotherIssuer);
    let gone = vec![added("acme", ACME_ID, "Acme"), removed("acme")];
    deployment(gone).when(add("acme", OTHER_ID, "Acme")).refused(&No::ProviderOfAnotherIssuer);
}

#[test]
fn a_name_and_an_issuer_are_those_of_one_provider() {
    let here = || vec![added("acme", ACME_ID, "Acme")];
    deployment(here()).when(add("acme", ACME_ID, "Another")).refused(&No::ProviderExists);
    deployment(here()).when(add("second", ACME_ID, "Acme")).refused(&No::IssuerExists);
    deployment(here()).when(add("acme", ACME_ID, "Acme")).then(&[]);
}

#[test]
fn providers_are_limited() {
    let all: Vec<_> = (0..PROVIDERS_MAX)
        .map(|number| added(&format!("p-{number}"), &format!("https://{number}.example"), "P"))
        .collect();
    deployment(all).when(add("more", ACME_ID, "Acme")).refused(&No::TooManyProviders);
}

#[test]
fn a_provider_is_changed_removed_and_comes_back() {
    let here = || vec![added("acme", ACME_ID, "Acme")];
    deployment(here()).when(change("acme", "Acme")).then(&[]);
    deployment(here()).when(Ask::RemoveProvider { provider: provider("acme") }).then(&[removed("acme")]);
    let gone = || vec![added("acme", ACME_ID, "Acme"), removed("acme")];
    deployment(gone()).when(change("acme", "Acme")).refused(&No::UnknownProvider);
    deployment(gone()).when(Ask::RemoveProvider { provider: provider("acme") }).then(&[]);
    deployment(gone()).when(add("acme", ACME_ID, "Acme")).then(&[added("acme", ACME_ID, "Acme")]);
}
