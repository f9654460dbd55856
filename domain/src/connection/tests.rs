//! Refusals first.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{
    Connection, ConnectionCommand as Ask, ConnectionError as No, ConnectionEvent as Did, ConnectionOwner,
    SECRET_FIELDS_MAX,
};
use crate::given::{Given, given};
use crate::value::{ConnectionId, DisplayName, FieldName, OrganizationId, ServerId, UserId};

const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(1));
const ANN: UserId = UserId::new(Uuid::from_u128(2));
const WIKI: ServerId = ServerId::new(Uuid::from_u128(3));

fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

fn fields(count: usize) -> BTreeSet<FieldName> {
    (0..count).map(|n| FieldName::parse(&format!("field_{n}")).unwrap()).collect()
}

fn create(owner: ConnectionOwner) -> Ask {
    Ask::Create { organization: ACME, owner, server: WIKI, name: name("Wiki") }
}

fn created(owner: ConnectionOwner) -> Did {
    Did::Created { organization: ACME, owner, server: WIKI, name: name("Wiki") }
}

fn connection(then: Vec<Did>) -> Given<Connection> {
    let mut past = vec![created(ConnectionOwner::Organization)];
    past.extend(then);
    given(past)
}

fn set(version: u32) -> Ask {
    Ask::SetSecrets { fields: fields(2), version }
}

fn was_set(version: u32) -> Did {
    Did::SecretsSet { fields: fields(2), version }
}

#[test]
fn a_connection_that_does_not_exist_refuses_everything() {
    let nothing = given::<Connection>(vec![]);
    nothing.when(Ask::Rename { name: name("X") }).refused(&No::Unknown);
    nothing.when(set(1)).refused(&No::Unknown);
    nothing.when(Ask::Remove).refused(&No::Unknown);
}

#[test]
fn it_cannot_be_created_twice_also_after_it_was_removed() {
    connection(vec![]).when(create(ConnectionOwner::Organization)).refused(&No::Exists);
    connection(vec![Did::Removed {}]).when(create(ConnectionOwner::Organization)).refused(&No::Exists);
}

#[test]
fn only_a_newer_set_of_secrets_comes_into_force() {
    connection(vec![]).when(set(0)).refused(&No::StaleVersion);
    for stale in [0, 1, 2, 3, 4] {
        connection(vec![was_set(1), was_set(4)]).when(set(stale)).refused(&No::StaleVersion);
    }
}

#[test]
fn after_the_last_number_there_is_no_next_one() {
    let worn_out = connection(vec![was_set(u32::MAX)]);
    worn_out.when(set(u32::MAX)).refused(&No::StaleVersion);
    worn_out.when(set(0)).refused(&No::StaleVersion);
}

#[test]
fn secret_fields_are_limited() {
    connection(vec![])
        .when(Ask::SetSecrets { fields: fields(SECRET_FIELDS_MAX + 1), version: 1 })
        .refused(&No::TooManyFields);
}

#[test]
fn nothing_leaves_removed() {
    let removed = connection(vec![Did::Removed {}]);
    removed.when(Ask::Rename { name: name("New") }).refused(&No::Removed);
    removed.when(set(1)).refused(&No::Removed);
    removed.when(Ask::Remove).then(&[]);
}

#[test]
fn it_belongs_to_everybody_or_to_one_member() {
    let nothing = given::<Connection>(vec![]);
    for owner in [ConnectionOwner::Organization, ConnectionOwner::User(ANN)] {
        nothing.when(create(owner)).then(&[created(owner)]);
    }
}

#[test]
fn secrets_are_set_and_replaced() {
    connection(vec![]).when(set(1)).then(&[was_set(1)]);
    connection(vec![was_set(1)]).when(set(2)).then(&[was_set(2)]);
    connection(vec![was_set(2)]).when(set(7)).then(&[was_set(7)]);
    let none = BTreeSet::new();
    connection(vec![was_set(1)])
        .when(Ask::SetSecrets { fields: none.clone(), version: 2 })
        .then(&[Did::SecretsSet { version: 2, fields: none }]);
}

#[test]
fn it_is_renamed_and_removed() {
    connection(vec![]).when(Ask::Rename { name: name("New") }).then(&[Did::Renamed { name: name("New") }]);
    connection(vec![]).when(Ask::Remove).then(&[Did::Removed {}]);
}

#[test]
fn a_retry_is_not_a_mistake() {
    connection(vec![]).when(Ask::Rename { name: name("Wiki") }).then(&[]);
}

#[test]
fn it_tells_whose_it_is_and_what_it_connects_to() {
    let mut connection = Connection::default();
    assert_eq!((connection.is_open(), connection.owner(), connection.server()), (false, None, None));
    connection.evolve(created(ConnectionOwner::User(ANN)));
    assert!(connection.is_open());
    assert_eq!(connection.owner(), Some(ConnectionOwner::User(ANN)));
    assert_eq!(connection.server(), Some(WIKI));
    let id = ConnectionId::new(Uuid::from_u128(9));
    assert_eq!(crate::Aggregate::organization(&connection, id), Some(ACME));
}
