//! Once, and only once.

use domain::api_key::KeyEnvironment;
use domain::organization::{Organization, OrganizationEvent};
use domain::value::Position;

use super::*;
use crate::api_key::{Issue, Issued};
use crate::organization::{RemoveMember, Rename};
use crate::testing::*;

fn under(key: &str, request_digest: &str) -> Order {
    let command = Some(CommandId::new(key.to_owned()));
    Order { command, request_digest: request_digest.to_owned(), ..order() }
}

fn issue() -> Issue {
    Issue {
        organization: ACME,
        name: name("Laptop"),
        principal: None,
        instance: None,
        scopes: scopes(&["mcp:read"]),
        expires_at: None,
        environment: KeyEnvironment::Live,
    }
}

fn rename() -> Rename {
    Rename { organization: ACME, name: name("Acme 2") }
}

fn issued(world: &World, key: &str, request_digest: &str) -> Result<Done<Issued>, CarryOutError> {
    world.block_on(carry_out(world, &acme(MEMBER), under(key, request_digest), &issue()))
}

fn another_name(number: u32) -> impl FnOnce(&MemoryLog) {
    move |log| {
        let name = name(&format!("Other {number}"));
        log.given::<Organization>(ACME, vec![OrganizationEvent::Renamed { name }]);
    }
}

#[test]
fn a_key_is_not_used_for_two_requests() {
    let world = World::new();
    issued(&world, "k1", "first").unwrap();
    let before = world.log.rows().len();
    let error = issued(&world, "k1", "second").unwrap_err();
    assert!(matches!(error, CarryOutError::KeyReused), "{error:?}");
    assert_eq!(world.log.rows().len(), before);
}

#[test]
fn a_key_of_another_use_case_is_refused_instead_of_misread() {
    let world = World::new();
    world.log.record(CommandId::new("k1".to_owned()), "first", r#"{"version":3}"#);
    let error = issued(&world, "k1", "first").unwrap_err();
    assert!(matches!(error, CarryOutError::KeyReused), "{error:?}");
}

#[test]
fn others_who_never_stop_make_it_give_up() {
    let world = World::new();
    for number in 0..ATTEMPTS_MAX {
        world.log.ambush(another_name(number));
    }
    let error = world.block_on(world.ask(acme(OWNER), rename())).unwrap_err();
    assert!(matches!(error, CarryOutError::Conflict), "{error:?}");
    assert_eq!(
        u32::try_from(world.log.pauses.lock().unwrap().len()).unwrap(),
        ATTEMPTS_MAX - 1,
        "it gave way between all attempts"
    );
}

/// Randomness that always falls on one side.
struct Extreme(u8);

impl Entropy for Extreme {
    fn id(&self) -> uuid::Uuid {
        uuid::Uuid::nil()
    }

    fn secret(&self) -> [u8; 32] {
        [self.0; 32]
    }
}

#[test]
fn pauses_grow_up_to_a_limit_and_may_be_as_short_as_nothing() {
    let longest: Vec<_> = (1..=8).map(|attempt| pause_after(attempt, &Extreme(255)).as_millis()).collect();
    assert_eq!(longest, [2, 4, 8, 16, 32, 64, 64, 64]);
    assert_eq!(pause_after(ATTEMPTS_MAX, &Extreme(255)), Duration::from_millis(PAUSE_MILLIS_MAX));
    assert_eq!(pause_after(ATTEMPTS_MAX, &Extreme(0)), Duration::ZERO);
}

#[test]
fn a_retry_gets_the_same_answer_and_adds_nothing() {
    let world = World::new();
    let first = issued(&world, "k1", "first").unwrap();
    let before = world.log.rows().len();
    let second = issued(&world, "k1", "first").unwrap();
    assert_eq!(world.log.rows().len(), before);
    assert_eq!(second.position, first.position);
    assert_eq!(second.answer.key.reveal(), first.answer.key.reveal());
}

#[test]
fn a_retry_is_answered_from_memory_also_when_it_would_be_refused_by_now() {
    let world = World::new();
    let leave = RemoveMember { organization: ACME, user: MEMBER };
    let once = || world.block_on(carry_out(&world, &acme(MEMBER), under("k1", "leave"), &leave));
    let first = once().unwrap().position;
    assert_eq!(once().unwrap().position, first);
}

#[test]
fn of_two_at_once_under_one_key_the_slower_answers_what_the_faster_did() {
    let world = World::new();
    let key = CommandId::new("k1".to_owned());
    let faster = key.clone();
    world.log.ambush(move |log| log.record(faster, "leave", "null"));
    let leave = RemoveMember { organization: ACME, user: MEMBER };
    let before = world.log.rows().len();
    let done = world.block_on(carry_out(&world, &acme(MEMBER), under("k1", "leave"), &leave)).unwrap();
    assert_eq!(done.position, Position::new(7));
    assert_eq!(world.log.rows().len(), before);
}

#[test]
fn a_refusal_by_the_rules_looks_once_more_for_the_faster_twin() {
    let world = World::new();
    let overtaken =
        Overtaken { by: |log| log.record(CommandId::new("k1".to_owned()), "same", "null"), world: &world };
    let done = world.block_on(carry_out(&world, &acme(MEMBER), under("k1", "same"), &overtaken)).unwrap();
    assert_eq!(done.position, Position::new(7));
}

/// A use case that is refused because its twin finished while it ran.
struct Overtaken<'a> {
    by: fn(&MemoryLog),
    world: &'a World,
}

impl UseCase for Overtaken<'_> {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, _: &Actor, _: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        (self.by)(&self.world.log);
        Err(Refused::NotFound("member"))
    }
}

#[test]
fn of_two_at_once_under_one_key_another_request_is_refused() {
    let world = World::new();
    world.log.ambush(|log| log.record(CommandId::new("k1".to_owned()), "other", "null"));
    let error = issued(&world, "k1", "first").unwrap_err();
    assert!(matches!(error, CarryOutError::KeyReused), "{error:?}");
}

#[test]
fn a_conflict_is_decided_anew_on_what_came_first() {
    let world = World::new();
    world.log.ambush(another_name(1));
    world.log.ambush(|log| {
        log.given::<Organization>(ACME, vec![OrganizationEvent::Renamed { name: name("Acme 2") }]);
    });
    let before = world.log.rows().len();
    world.block_on(world.ask(acme(OWNER), rename())).unwrap();
    assert_eq!(world.log.rows().len(), before + 2); // the other writer's two: by then it had the wanted name
}

#[test]
fn every_row_says_who_by_what_why_and_when() {
    let world = World::new();
    let order = Order { causation: Some("import-1".to_owned()), ..under("k1", "first") };
    world.block_on(carry_out(&world, &acme(OWNER), order, &rename())).unwrap();
    let metadata = world.log.rows().pop().unwrap().metadata;
    assert_eq!(
        metadata,
        serde_json::json!({
            "command": "k1",
            "actor": format!("user:{OWNER}"),
            "credential": format!("api_key:{MEMBERS_KEY}"),
            "correlation": "trace-1",
            "causation": "import-1",
            "occurred_at": "2026-11-22T12:00:00Z",
            "organization": ACME.to_string(),
        })
    );
}
