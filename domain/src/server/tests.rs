//! Refusals first.

use uuid::Uuid;

use super::{
    CREDENTIAL_FIELDS_MAX, Server, ServerCommand as Ask, ServerError as No, ServerEvent as Did, Transport,
    Visibility,
};
use crate::given::{Given, given};
use crate::value::{
    CredentialField, DisplayName, FieldName, HeaderName, HeaderPrefix, OrganizationId, ServerId, UpstreamUrl,
};

const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(1));

fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

fn transport() -> Transport {
    Transport::Http { url: UpstreamUrl::parse("https://mcp.example.com/mcp").unwrap() }
}

fn field(field: &str, header: &str) -> CredentialField {
    CredentialField {
        name: FieldName::parse(field).unwrap(),
        header: HeaderName::parse(header).unwrap(),
        prefix: Some(HeaderPrefix::parse("Bearer ").unwrap()),
        required: true,
    }
}

fn fields(count: usize) -> Vec<CredentialField> {
    (0..count).map(|n| field(&format!("field_{n}"), &format!("x-field-{n}"))).collect()
}

fn register(
    organization: Option<OrganizationId>,
    credential_fields: Vec<CredentialField>,
    visibility: Visibility,
) -> Ask {
    Ask::Register { organization, name: name("Wiki"), transport: transport(), credential_fields, visibility }
}

fn registered(organization: Option<OrganizationId>, visibility: Visibility) -> Did {
    Did::Registered {
        organization,
        name: name("Wiki"),
        transport: transport(),
        credential_fields: fields(1),
        visibility,
    }
}

fn update(text: &str, credential_fields: Vec<CredentialField>, visibility: Visibility) -> Ask {
    Ask::Update { name: name(text), transport: transport(), credential_fields, visibility }
}

fn wiki(then: Vec<Did>) -> Given<Server> {
    let mut past = vec![registered(Some(ACME), Visibility::Organization)];
    past.extend(then);
    given(past)
}

#[test]
fn a_server_that_does_not_exist_refuses_everything() {
    let nothing = given::<Server>(vec![]);
    nothing.when(update("Wiki", vec![], Visibility::Private)).refused(&No::Unknown);
    nothing.when(Ask::Retire).refused(&No::Unknown);
}

#[test]
fn it_cannot_be_registered_twice_also_after_it_was_retired() {
    let again = || register(Some(ACME), fields(1), Visibility::Organization);
    wiki(vec![]).when(again()).refused(&No::Exists);
    wiki(vec![Did::Retired {}]).when(again()).refused(&No::Exists);
}

#[test]
fn an_organization_offers_nothing_to_everybody() {
    let nothing = given::<Server>(vec![]);
    nothing.when(register(Some(ACME), vec![], Visibility::Public)).refused(&No::PublicOfOrganization);
    wiki(vec![]).when(update("Wiki", fields(1), Visibility::Public)).refused(&No::PublicOfOrganization);
}

#[test]
fn two_fields_of_one_name_or_for_one_header_are_refused() {
    let twice =
        |one: CredentialField, other: CredentialField| register(None, vec![one, other], Visibility::Public);
    let nothing = given::<Server>(vec![]);
    nothing
        .when(twice(field("token", "x-one"), field("token", "x-two")))
        .refused(&No::DuplicateField(FieldName::parse("token").unwrap()));
    nothing
        .when(twice(field("one", "Authorization"), field("two", "authorization")))
        .refused(&No::DuplicateHeader(HeaderName::parse("authorization").unwrap()));
    wiki(vec![])
        .when(update("Wiki", vec![field("a", "x-a"), field("a", "x-b")], Visibility::Private))
        .refused(&No::DuplicateField(FieldName::parse("a").unwrap()));
}

#[test]
fn credential_fields_are_limited() {
    let nothing = given::<Server>(vec![]);
    let over = fields(CREDENTIAL_FIELDS_MAX + 1);
    nothing.when(register(None, over.clone(), Visibility::Public)).refused(&No::TooManyFields);
    wiki(vec![]).when(update("Wiki", over, Visibility::Private)).refused(&No::TooManyFields);
    let most = fields(CREDENTIAL_FIELDS_MAX);
    wiki(vec![]).when(update("Wiki", most.clone(), Visibility::Private)).then(&[Did::Updated {
        name: name("Wiki"),
        transport: transport(),
        credential_fields: most,
        visibility: Visibility::Private,
    }]);
}

#[test]
fn nothing_leaves_retired() {
    let retired = wiki(vec![Did::Retired {}]);
    retired.when(update("New", vec![], Visibility::Private)).refused(&No::Retired);
    retired.when(Ask::Retire).then(&[]);
}

#[test]
fn the_deployment_may_offer_a_server_to_everybody() {
    given::<Server>(vec![])
        .when(register(None, fields(1), Visibility::Public))
        .then(&[registered(None, Visibility::Public)]);
    let catalogue = given::<Server>(vec![registered(None, Visibility::Private)]);
    catalogue.when(update("Wiki", fields(1), Visibility::Public)).then(&[Did::Updated {
        name: name("Wiki"),
        transport: transport(),
        credential_fields: fields(1),
        visibility: Visibility::Public,
    }]);
}

#[test]
fn a_server_is_retired() {
    wiki(vec![]).when(Ask::Retire).then(&[Did::Retired {}]);
}

#[test]
fn a_retry_is_not_a_mistake() {
    wiki(vec![]).when(update("Wiki", fields(1), Visibility::Organization)).then(&[]);
}

#[test]
fn it_belongs_to_its_organization_or_to_the_deployment() {
    let id = ServerId::new(Uuid::from_u128(9));
    let mut server = Server::default();
    server.evolve(registered(Some(ACME), Visibility::Private));
    assert_eq!(crate::Aggregate::organization(&server, id), Some(ACME));
    let mut server = Server::default();
    server.evolve(registered(None, Visibility::Public));
    assert_eq!(crate::Aggregate::organization(&server, id), None);
}
