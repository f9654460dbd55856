//! Refusals first, then the promise: every event that was ever written can be read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::samples::{self, Sample};
use super::{Event, Row, Undecodable, UndecodableReason as Why, Upcaster};
use crate::organization::OrganizationEvent;
use crate::{Aggregate, ClaimChange, ClaimScope};

const RENAMED: &str = r#"{"renamed":{"name":"Acme"}}"#;

fn why(aggregate_type: &str, event_type: &str, event_version: u32, payload_json: &str) -> Why {
    Event::decode(aggregate_type, event_type, event_version, payload_json).unwrap_err().reason
}

#[test]
fn what_is_not_in_the_catalogue_is_refused_by_name() {
    assert_eq!(why("organisation", "renamed", 1, RENAMED), Why::UnknownAggregateType);
    assert_eq!(why("organization", "exploded", 1, r#"{"exploded":{}}"#), Why::UnknownEventType);
    let refusal = Event::decode("organization", "exploded", 7, "{}").unwrap_err().to_string();
    assert_eq!(refusal, "cannot read organization.exploded version 7: there is no such event type");
}

#[test]
fn an_event_of_a_later_release_is_refused_and_says_so() {
    let refusal = Event::decode("organization", "renamed", 2, RENAMED).unwrap_err();
    assert_eq!(refusal.reason, Why::Newer { known: 1 });
    assert!(refusal.to_string().contains("version 2: written by a newer version"), "{refusal}");
}

#[test]
fn a_version_that_never_was_is_refused() {
    assert_eq!(why("organization", "renamed", 0, RENAMED), Why::NoUpcaster { from_version: 0 });
}

#[test]
fn a_malformed_payload_is_refused_with_the_reason() {
    for payload in [
        "",
        "null",
        "[]",
        r#""renamed""#,
        "{}",
        r#"{"renamed":{}}"#,
        r#"{"renamed":{"name":" "}}"#,
        &RENAMED[..9],
    ] {
        assert!(matches!(why("organization", "renamed", 1, payload), Why::Malformed(_)), "{payload}");
    }
    let Why::Malformed(reason) = why("organization", "renamed", 1, r#"{"renamed":{}}"#) else { panic!() };
    assert!(reason.contains("missing field `name`"), "{reason}");
}

#[test]
fn deep_nesting_is_refused_and_overflows_nothing() {
    let deep = format!(r#"{{"renamed":{}"#, "[".repeat(10_000));
    assert!(matches!(why("organization", "renamed", 1, &deep), Why::Malformed(_)));
}

#[test]
fn row_and_payload_must_name_the_same_event() {
    assert_eq!(why("organization", "deleted", 1, RENAMED), Why::OtherTag("renamed"));
}

#[test]
fn the_same_payload_under_another_aggregate_is_another_event() {
    let of = |aggregate_type| Event::decode(aggregate_type, "renamed", 1, RENAMED).unwrap();
    assert!(matches!(of("organization"), Event::Organization(OrganizationEvent::Renamed { .. })));
    assert_ne!(of("organization"), of("api_key"));
}

#[expect(unreachable_pub, reason = "the macro declares for the outside")]
mod upcasting {
    use cqrs_es::persist::{EventUpcaster as _, SerializedEvent};

    use super::super::lifter::{Lifter, upcasters_for_aggregates};
    use super::*;
    use crate::Facts;

    events! {
        /// An event type with a history, which the real ones do not have yet.
        pub enum DoorEvent of "door" {
            /// Version 1 said `who`, version 2 `person`, version 3 adds `loud`.
            Opened = "opened" v 3 {
                /// Who opened it.
                person: String,
                /// Whether the neighbours know.
                loud: bool,
            },
        }
    }

    impl Facts for DoorEvent {
        const AGGREGATE: &'static str = DoorEvent::AGGREGATE;
        const TYPES: &'static [(&'static str, u32)] = DoorEvent::TYPES;
    }

    fn who_becomes_person(mut payload: Value) -> Value {
        let person = payload["opened"]["who"].take();
        payload["opened"] = json!({ "person": person });
        payload
    }

    fn doors_were_quiet(mut payload: Value) -> Value {
        payload["opened"]["loud"] = json!(false);
        payload
    }

    const TABLE: &[Upcaster] = &[
        Upcaster { aggregate_type: "door", event_type: "opened", from_version: 2, lift: doors_were_quiet },
        Upcaster { aggregate_type: "door", event_type: "opened", from_version: 1, lift: who_becomes_person },
        Upcaster { aggregate_type: "window", event_type: "opened", from_version: 1, lift: |_| Value::Null },
    ];

    fn read(table: &[Upcaster], event_version: u32, payload_json: &str) -> Result<DoorEvent, Why> {
        let row = Row { aggregate_type: "door", event_type: "opened", event_version, payload_json };
        row.read(table, DoorEvent::name)
    }

    #[test]
    fn a_gap_in_the_chain_is_named() {
        let payload = r#"{"opened":{"who":"Ann"}}"#;
        assert_eq!(read(&[], 1, payload), Err(Why::NoUpcaster { from_version: 1 }));
        assert_eq!(read(&TABLE[1..], 1, payload), Err(Why::NoUpcaster { from_version: 2 }));
        assert_eq!(read(TABLE, 0, payload), Err(Why::NoUpcaster { from_version: 0 }));
        assert_eq!(read(TABLE, 4, payload), Err(Why::Newer { known: 3 }));
    }

    #[test]
    fn what_an_upcaster_cannot_lift_is_malformed() {
        assert!(matches!(read(TABLE, 2, r#"{"opened":{}}"#), Err(Why::Malformed(_))));
        assert!(matches!(read(TABLE, 2, "{"), Err(Why::Malformed(_))));
    }

    #[test]
    fn every_older_version_is_lifted_to_the_current_one() {
        let ann = DoorEvent::Opened { person: "Ann".to_owned(), loud: false };
        assert_eq!(read(TABLE, 1, r#"{"opened":{"who":"Ann"}}"#), Ok(ann.clone()));
        assert_eq!(read(TABLE, 2, r#"{"opened":{"person":"Ann"}}"#), Ok(ann.clone()));
        assert_eq!(read(&[], 3, r#"{"opened":{"person":"Ann","loud":false}}"#), Ok(ann));
    }

    #[test]
    fn the_registry_uses_the_table_it_is_given() {
        let table = [Upcaster {
            aggregate_type: "organization",
            event_type: "renamed",
            from_version: 0,
            lift: |_| json!({ "renamed": { "name": "lifted" } }),
        }];
        let row = Row {
            aggregate_type: "organization",
            event_type: "renamed",
            event_version: 0,
            payload_json: "{}",
        };
        let lifted = Event::decode_with(&table, &row).unwrap();
        assert_eq!(serde_json::to_string(&lifted).unwrap(), r#"{"renamed":{"name":"lifted"}}"#);
    }

    fn lifted(table: &'static [Upcaster], event_type: &str, event_version: &str, payload: Value) -> Value {
        let (id, kind) = (String::new(), "organization".to_owned());
        let (event_type, event_version) = (event_type.to_owned(), event_version.to_owned());
        let event = SerializedEvent::new(id, 1, kind, event_type, event_version, payload, Value::Null);
        Lifter(table).upcast(event).payload
    }

    #[test]
    fn an_aggregate_is_not_loaded_from_what_the_registry_refuses() {
        let renamed: Value = serde_json::from_str(RENAMED).unwrap();
        for (event_type, event_version, why) in [
            ("renamed", "2", "written by a newer version"),
            ("renamed", "0", "no upcaster reads version 0"),
            ("renamed", "one", "no upcaster reads version 0"),
            ("exploded", "1", "there is no such event type"),
        ] {
            let payload = lifted(&[], event_type, event_version, renamed.clone());
            let refusal = serde_json::from_value::<OrganizationEvent>(payload).unwrap_err().to_string();
            assert!(refusal.contains("cannot read organization.") && refusal.contains(why), "{refusal}");
        }
    }

    #[test]
    fn an_aggregate_is_loaded_from_current_and_from_lifted_events() {
        const OLDER: &[Upcaster] = &[Upcaster {
            aggregate_type: "organization",
            event_type: "renamed",
            from_version: 0,
            lift: |old| json!({ "renamed": { "name": old["renamed"]["title"] } }),
        }];
        let renamed: Value = serde_json::from_str(RENAMED).unwrap();
        assert_eq!(lifted(OLDER, "renamed", "1", renamed.clone()), renamed);
        assert_eq!(lifted(OLDER, "renamed", "0", json!({ "renamed": { "title": "Acme" } })), renamed);
        assert_eq!(upcasters_for_aggregates().len(), 1);
    }

    #[test]
    fn every_step_of_the_real_table_belongs_to_an_event_and_leads_no_further_than_it() {
        for step in super::super::UPCASTERS {
            let known = Event::catalogue().any(|(aggregate_type, event_type, version)| {
                (aggregate_type, event_type) == (step.aggregate_type, step.event_type)
                    && step.from_version < version
            });
            assert!(known, "{}.{} v{}", step.aggregate_type, step.event_type, step.from_version);
        }
    }
}

pub(super) fn all_samples() -> Vec<Sample<Event>> {
    fn of<E: Into<Event>>(samples: Vec<Sample<E>>) -> impl Iterator<Item = Sample<Event>> {
        samples.into_iter().map(|(shape, event)| (shape, event.into()))
    }
    of(samples::organization())
        .chain(of(samples::user()))
        .chain(of(samples::client()))
        .chain(of(samples::grant()))
        .chain(of(samples::access_token()))
        .chain(of(samples::api_key()))
        .chain(of(samples::server()))
        .chain(of(samples::connection()))
        .chain(of(samples::instance()))
        .chain(of(samples::deployment()))
        .collect()
}

/// `client.registered.v1` or, for a shape with a name, `client.registered.v1.confidential`.
fn file_name((shape, event): &Sample<Event>) -> String {
    let (aggregate_type, event_type, version) = event.name();
    let dot = if shape.is_empty() { "" } else { "." };
    format!("{aggregate_type}.{event_type}.v{version}{dot}{shape}")
}

fn snapshots_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")
}

/// Every committed snapshot: its name, which event it is, and the JSON.
pub(super) fn snapshots() -> Vec<(String, (String, String, u32), String)> {
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let name = file.strip_suffix(".snap").unwrap_or_else(|| panic!("{file} is no snapshot"));
        let text = std::fs::read_to_string(&path).unwrap();
        let (_, json) = text.trim_start_matches("---").split_once("\n---\n").unwrap();
        let mut parts = name.split('.').map(ToOwned::to_owned);
        let (aggregate_type, event_type) = (parts.next().unwrap(), parts.next().unwrap());
        let version = parts.next().unwrap().trim_start_matches('v').parse().unwrap();
        (name.to_owned(), (aggregate_type, event_type, version), json.to_owned())
    };
    std::fs::read_dir(snapshots_folder()).unwrap().map(read).collect()
}

/// Snapshots are files that may be added and never edited: they are what the log holds.
#[test]
fn the_json_of_every_event_is_what_was_promised() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(snapshots_folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for sample in all_samples() {
            let json = serde_json::to_string_pretty(&sample.1).unwrap();
            insta::assert_snapshot!(file_name(&sample), json);
        }
    });
}

#[test]
fn every_type_of_the_catalogue_has_a_sample_under_its_own_name() {
    let sampled: BTreeSet<_> = all_samples().iter().map(|(_, event)| event.name()).collect();
    let catalogue: BTreeSet<_> = Event::catalogue().collect();
    assert_eq!(sampled, catalogue);
    assert_eq!(catalogue.len(), Event::catalogue().count(), "a name is used twice");
    let names: BTreeSet<_> = all_samples().iter().map(file_name).collect();
    assert_eq!(names.len(), all_samples().len(), "two samples share a file");
}

#[test]
fn every_event_is_read_back_as_it_was() {
    for (shape, event) in all_samples() {
        let (aggregate_type, event_type, version) = event.name();
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(Event::decode(aggregate_type, event_type, version, &json), Ok(event), "{shape}");
    }
}

/// The log keeps payloads as `jsonb`, which orders keys its own way and keeps no blanks.
#[test]
fn the_order_of_keys_does_not_matter() {
    for (_, event) in all_samples() {
        let (aggregate_type, event_type, version) = event.name();
        let sorted: Value = serde_json::to_value(&event).unwrap();
        assert_eq!(Event::decode(aggregate_type, event_type, version, &sorted.to_string()), Ok(event));
    }
}

/// Also those that no sample writes any more, because a newer version of the event took their place.
#[test]
fn every_snapshot_that_was_ever_committed_can_be_read() {
    let current: BTreeMap<String, Event> =
        all_samples().into_iter().map(|it| (file_name(&it), it.1)).collect();
    let snapshots = snapshots();
    for (name, (aggregate_type, event_type, version), json) in &snapshots {
        let decoded: Result<Event, Undecodable> = Event::decode(aggregate_type, event_type, *version, json);
        let decoded = decoded.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        if let Some(event) = current.get(name) {
            assert_eq!(decoded, *event, "{name}");
        }
    }
    let read = snapshots.len();
    assert!(read >= current.len(), "{read} snapshots for {} samples", current.len());
}

#[test]
fn claims_come_through_the_registry() {
    let slugs: Vec<ClaimChange> = Event::from(samples::organization().remove(0).1).claims();
    assert_eq!(slugs, [ClaimChange::Take { scope: ClaimScope::Slug, value: "acme".to_owned() }]);
}

/// `apply` never fails, whatever the order: a log that was damaged or imported must still be readable.
fn folds_anything<A: Aggregate>(samples: &[Sample<A::Event>]) {
    let order = proptest::collection::vec(0..samples.len(), 0..40);
    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }, |(order in order)| {
        let mut state = A::default();
        for place in order {
            state.apply(samples[place].1.clone());
        }
    });
}

#[test]
fn any_sequence_of_events_can_be_folded() {
    folds_anything::<crate::organization::Organization>(&samples::organization());
    folds_anything::<crate::user::User>(&samples::user());
    folds_anything::<crate::client::Client>(&samples::client());
    folds_anything::<crate::grant::Grant>(&samples::grant());
    folds_anything::<crate::access_token::AccessToken>(&samples::access_token());
    folds_anything::<crate::api_key::ApiKey>(&samples::api_key());
    folds_anything::<crate::server::Server>(&samples::server());
    folds_anything::<crate::connection::Connection>(&samples::connection());
    folds_anything::<crate::instance::Instance>(&samples::instance());
    folds_anything::<crate::deployment::Deployment>(&samples::deployment());
}
