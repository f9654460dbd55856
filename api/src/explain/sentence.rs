//! An explanation as people read it, and which facts it hangs on.

use domain::policy::Denial;
use projections::access::Credential;
use projections::access::evidence::{Fact, FactName};
use serde_json::Value;

use super::{Question, Refusal};

/// Whether an answer hangs on a fact: on all that the policy looks at when it lets a call through, on what stands against the call otherwise.
pub(super) fn decides(refusal: Option<&Refusal>, name: FactName) -> bool {
    match refusal {
        None => !matches!(name, FactName::Member | FactName::Connection | FactName::Server), // where a call goes, not whether it may
        Some(refusal) => against(refusal).contains(&name),
    }
}

fn against(refusal: &Refusal) -> &'static [FactName] {
    use FactName as Fact;
    let denial = match refusal {
        Refusal::Denied(denial) => denial,
        Refusal::NoTokenOfItsOwn => return &[Fact::ClientGrantTypes],
        Refusal::KeyUnknown | Refusal::GrantUnknown | Refusal::ClientUnknown | Refusal::NoCredential => {
            return &[];
        }
    };
    match denial {
        Denial::KeyRevoked => &[Fact::KeyRevoked],
        Denial::KeyExpired => &[Fact::KeyExpiresAt],
        Denial::PrincipalInactive => &[Fact::Principal],
        Denial::NotMember | Denial::RoleTooLow => &[Fact::Role],
        Denial::OrganizationSuspended | Denial::OrganizationDeleted | Denial::OrganizationUnknown => {
            &[Fact::Organization]
        }
        Denial::InstanceUnknown => &[Fact::Instance, Fact::InstanceOrganization],
        Denial::InstanceStopped => &[Fact::Instance],
        Denial::BoundToOtherInstance | Denial::BoundToInstance => &[Fact::KeyBoundTo, Fact::GrantBoundTo],
        Denial::AuthenticationNotAccepted => &[Fact::Authentication],
        Denial::ToolNotExposed => &[Fact::Tools],
        Denial::ScopeMissing(_) => &[Fact::KeyScopes, Fact::GrantScopes, Fact::ClientScopes],
        Denial::Maintenance => &[Fact::Maintenance],
        Denial::ClientInactive => &[Fact::Client],
        Denial::GrantRevoked => &[Fact::Grant, Fact::GrantExpiresAt],
        // The token that is judged would only now be made, and it is shown at the endpoint.
        Denial::TokenRevoked | Denial::TokenExpired | Denial::WrongDoor => &[],
    }
}

/// The answer in one sentence.
pub(super) fn sentence(
    question: &Question,
    credential: Option<Credential>,
    refusal: Option<&Refusal>,
    facts: &[Fact],
) -> String {
    let tool = &question.call.tool;
    match refusal {
        None => {
            let whose = credential_sentence(credential, facts);
            let (instance, tools) = (since(facts, FactName::Instance), since(facts, FactName::Tools));
            format!(
                "{tool} was allowed: {whose}, the instance runs since {instance} and exposes the tool since {tools}."
            )
        }
        Some(refusal) => {
            let because = against(refusal).iter().filter_map(|name| {
                let fact = facts.iter().find(|fact| fact.name == *name)?;
                let set_by = fact.set_by.as_ref()?;
                let value = fact.value.as_ref().map_or_else(|| "nothing".to_owned(), shown);
                Some(format!("{} is {value} since #{}", name.as_str(), set_by.position))
            });
            let because: Vec<_> = because.collect();
            let because =
                if because.is_empty() { String::new() } else { format!(" ({})", because.join(", ")) };
            format!("{tool} was denied, {}: {}{because}.", refusal.code(), refusal.text())
        }
    }
}

/// What a credential that is let through rests on.
fn credential_sentence(credential: Option<Credential>, facts: &[Fact]) -> String {
    let said = |name| (text(facts, name), since(facts, name));
    let (role, member) = said(FactName::Role);
    match credential {
        Some(Credential::Grant(_)) => {
            let (scopes, grant) = said(FactName::GrantScopes);
            let (client, registered) = said(FactName::ClientScopes);
            format!(
                "its user is {role} since {member}, consented to {scopes} in {grant}, and the client of {registered} may have {client}"
            )
        }
        Some(Credential::Client(_)) => {
            let (scopes, registered) = said(FactName::ClientScopes);
            format!(
                "its client counts as {role} since {member} and the client of {registered} carries {scopes}"
            )
        }
        Some(Credential::Key(_)) | None => {
            let (scopes, key) = said(FactName::KeyScopes);
            format!("its user is {role} since {member}, the key of {key} carries {scopes}")
        }
    }
}

fn text(facts: &[Fact], name: FactName) -> String {
    let value = facts.iter().find(|fact| fact.name == name).and_then(|fact| fact.value.as_ref());
    value.map_or_else(|| "nothing".to_owned(), shown)
}

fn since(facts: &[Fact], name: FactName) -> String {
    let position = super::shape::position_of(facts, name);
    position.map_or_else(|| "the beginning".to_owned(), |position| format!("#{position}"))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members.get("standing").map_or_else(|| value.to_string(), shown),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
