//! Refusals first.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    ALLOWED_RANGES_MAX, ANNOUNCEMENTS_MAX, Deployment, DeploymentCommand as Ask, DeploymentError as No,
    DeploymentEvent as Did, LINKS_MAX, SIGNING_KEY_OVERLAP_SECONDS, SIGNING_KEYS_MAX,
};
use crate::given::{Given, given};
use crate::value::{
    AddressRange, AnnouncementId, DisplayName, HttpsUrl, KeyThumbprint, Notice, Position, PublicJwk,
    SigningAlgorithm, Timestamp, UserId,
};

const ANN: UserId = UserId::new(Uuid::from_u128(1));
const BEN: UserId = UserId::new(Uuid::from_u128(2));
const NOW: Timestamp = Timestamp::EPOCH;

fn deployment(then: Vec<Did>) -> Given<Deployment> {
    let mut past = vec![Did::Bootstrapped { administrator: ANN }];
    past.extend(then);
    given(past)
}

fn ranges(count: usize) -> BTreeSet<AddressRange> {
    (0..count).map(|n| AddressRange::parse(&format!("192.0.2.{n}")).unwrap()).collect()
}

fn start(until: Option<Timestamp>, range_count: usize) -> Ask {
    Ask::StartMaintenance { until, allowed: ranges(range_count), at: NOW }
}

fn started(until: Option<Timestamp>, range_count: usize) -> Did {
    Did::MaintenanceStarted { until, allowed: ranges(range_count) }
}

fn announcement(n: usize) -> AnnouncementId {
    AnnouncementId::new(Uuid::from_u128(n as u128))
}

fn notice(text: &str) -> Notice {
    Notice::parse(text).unwrap()
}

fn publish(n: usize, en: &str, until: Option<Timestamp>) -> Ask {
    Ask::PublishAnnouncement {
        id: announcement(n), ja: notice("お知らせ"), en: notice(en), until, at: NOW
    }
}

fn published(n: usize, en: &str, until: Option<Timestamp>) -> Did {
    Did::AnnouncementPublished { id: announcement(n), ja: notice("お知らせ"), en: notice(en), until }
}

fn links(count: usize) -> BTreeMap<DisplayName, HttpsUrl> {
    let url = || HttpsUrl::parse("https://forum.example.com/").unwrap();
    (0..count).map(|n| (DisplayName::parse(&format!("Forum {n}")).unwrap(), url())).collect()
}

fn word(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

#[test]
fn an_event_may_be_tried_again_as_often_as_somebody_has_a_reason() {
    let (projection, position, reason) = (word("directory"), Position::new(7), word("fixed"));
    let retried =
        Did::ParkedEventRetried { projection: projection.clone(), position, reason: reason.clone() };
    deployment(vec![retried.clone()])
        .when(Ask::RetryParked { projection: projection.clone(), position, reason: reason.clone() })
        .then(&[retried]);
    let skipped =
        Did::ParkedEventSkipped { projection: projection.clone(), position, reason: reason.clone() };
    deployment(vec![]).when(Ask::SkipParked { projection, position, reason }).then(&[skipped]);
}

#[test]
fn before_the_bootstrap_everything_else_is_refused() {
    let nothing = given::<Deployment>(vec![]);
    nothing.when(Ask::AddAdministrator { user: ANN }).refused(&No::Unknown);
    nothing.when(Ask::RemoveAdministrator { user: ANN }).refused(&No::Unknown);
    nothing.when(start(None, 0)).refused(&No::Unknown);
    nothing.when(Ask::EndMaintenance).refused(&No::Unknown);
    nothing.when(publish(1, "Hello", None)).refused(&No::Unknown);
    nothing.when(Ask::WithdrawAnnouncement { id: announcement(1) }).refused(&No::Unknown);
    nothing.when(Ask::ChangeLinks { links: links(1) }).refused(&No::Unknown);
    let (projection, reason) = (word("directory"), word("fixed"));
    let position = Position::new(7);
    nothing
        .when(Ask::RetryParked { projection: projection.clone(), position, reason: reason.clone() })
        .refused(&No::Unknown);
    nothing.when(Ask::SkipParked { projection, position, reason }).refused(&No::Unknown);
}

#[test]
fn it_is_bootstrapped_once_whoever_asks() {
    deployment(vec![]).when(Ask::Bootstrap { administrator: ANN }).refused(&No::Exists);
    deployment(vec![]).when(Ask::Bootstrap { administrator: BEN }).refused(&No::Exists);
}

#[test]
fn the_last_administrator_cannot_be_removed() {
    deployment(vec![]).when(Ask::RemoveAdministrator { user: ANN }).refused(&No::LastAdministrator);
    let both = vec![Did::AdministratorAdded { user: BEN }, Did::AdministratorRemoved { user: ANN }];
    deployment(both).when(Ask::RemoveAdministrator { user: BEN }).refused(&No::LastAdministrator);
}

#[test]
fn what_is_over_before_it_starts_is_refused() {
    for late in [NOW, NOW.plus_seconds(-1)] {
        deployment(vec![]).when(start(Some(late), 0)).refused(&No::EndNotInFuture);
        deployment(vec![]).when(publish(1, "Hello", Some(late))).refused(&No::EndNotInFuture);
    }
}

#[test]
fn lists_are_limited() {
    deployment(vec![]).when(start(None, ALLOWED_RANGES_MAX + 1)).refused(&No::TooManyRanges);
    deployment(vec![]).when(Ask::ChangeLinks { links: links(LINKS_MAX + 1) }).refused(&No::TooManyLinks);
    let standing: Vec<Did> = (0..ANNOUNCEMENTS_MAX).map(|n| published(n, "Hello", None)).collect();
    let full = deployment(standing.clone());
    full.when(publish(ANNOUNCEMENTS_MAX, "One more", None)).refused(&No::TooManyAnnouncements);
    let room = standing.into_iter().chain([Did::AnnouncementWithdrawn { id: announcement(0) }]).collect();
    deployment(room).when(publish(ANNOUNCEMENTS_MAX, "One more", None)).then(&[published(
        ANNOUNCEMENTS_MAX,
        "One more",
        None,
    )]);
}

#[test]
fn what_was_published_is_not_edited() {
    let one = deployment(vec![published(1, "Hello", None)]);
    one.when(publish(1, "Hello again", None)).refused(&No::AnnouncementExists);
    one.when(publish(1, "Hello", Some(NOW.plus_seconds(60)))).refused(&No::AnnouncementExists);
}

#[test]
fn what_was_withdrawn_stays_withdrawn() {
    let withdrawn = vec![published(1, "Hello", None), Did::AnnouncementWithdrawn { id: announcement(1) }];
    deployment(withdrawn.clone()).when(publish(1, "Hello", None)).refused(&No::AnnouncementWithdrawn);
    deployment(withdrawn).when(Ask::WithdrawAnnouncement { id: announcement(1) }).then(&[]);
}

#[test]
fn what_was_never_published_cannot_be_withdrawn() {
    deployment(vec![])
        .when(Ask::WithdrawAnnouncement { id: announcement(1) })
        .refused(&No::UnknownAnnouncement);
}

#[test]
fn the_bootstrap_names_the_first_administrator() {
    given::<Deployment>(vec![])
        .when(Ask::Bootstrap { administrator: ANN })
        .then(&[Did::Bootstrapped { administrator: ANN }]);
}

#[test]
fn administrators_come_and_go() {
    deployment(vec![])
        .when(Ask::AddAdministrator { user: BEN })
        .then(&[Did::AdministratorAdded { user: BEN }]);
    deployment(vec![Did::AdministratorAdded { user: BEN }])
        .when(Ask::RemoveAdministrator { user: ANN })
        .then(&[Did::AdministratorRemoved { user: ANN }]);
}

#[test]
fn maintenance_starts_is_extended_and_ends() {
    let hour = Some(NOW.plus_seconds(3_600));
    deployment(vec![]).when(start(None, 2)).then(&[started(None, 2)]);
    deployment(vec![started(None, 2)]).when(start(hour, 2)).then(&[started(hour, 2)]);
    deployment(vec![started(hour, 2)]).when(Ask::EndMaintenance).then(&[Did::MaintenanceEnded {}]);
}

#[test]
fn announcements_and_links_are_published() {
    let one = deployment(vec![published(1, "Hello", None)]);
    one.when(Ask::WithdrawAnnouncement { id: announcement(1) })
        .then(&[Did::AnnouncementWithdrawn { id: announcement(1) }]);
    one.when(Ask::ChangeLinks { links: links(2) }).then(&[Did::LinksChanged { links: links(2) }]);
}

#[test]
fn a_retry_is_not_a_mistake() {
    deployment(vec![]).when(Ask::AddAdministrator { user: ANN }).then(&[]);
    deployment(vec![]).when(Ask::RemoveAdministrator { user: BEN }).then(&[]);
    deployment(vec![]).when(Ask::EndMaintenance).then(&[]);
    deployment(vec![started(None, 2)]).when(start(None, 2)).then(&[]);
    deployment(vec![started(None, 2), Did::MaintenanceEnded {}]).when(Ask::EndMaintenance).then(&[]);
    deployment(vec![published(1, "Hello", None)]).when(publish(1, "Hello", None)).then(&[]);
    deployment(vec![Did::LinksChanged { links: links(1) }])
        .when(Ask::ChangeLinks { links: links(1) })
        .then(&[]);
}

#[test]
fn it_belongs_to_no_organization() {
    let id = crate::value::DeploymentId;
    assert_eq!(crate::Aggregate::organization(&Deployment::default(), id), None);
}

fn kid(number: usize) -> KeyThumbprint {
    KeyThumbprint::parse(&format!("{number:043}")).unwrap()
}

fn jwk() -> PublicJwk {
    PublicJwk::parse(r#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#).unwrap()
}

fn add(number: usize, algorithm: SigningAlgorithm) -> Ask {
    Ask::AddSigningKey { kid: kid(number), algorithm, public_jwk: jwk(), at: NOW }
}

fn added(number: usize, algorithm: SigningAlgorithm) -> Did {
    Did::SigningKeyAdded { kid: kid(number), algorithm, public_jwk: jwk(), at: NOW }
}

fn activate(number: usize) -> Ask {
    Ask::ActivateSigningKey { kid: kid(number), at: NOW }
}

fn activated(number: usize) -> Did {
    Did::SigningKeyActivated { kid: kid(number), at: NOW }
}

fn retire(number: usize, seconds: i64, emergency: bool) -> Ask {
    Ask::RetireSigningKey { kid: kid(number), at: NOW.plus_seconds(seconds), emergency }
}

fn retired(number: usize, emergency: bool) -> Did {
    Did::SigningKeyRetired { kid: kid(number), emergency }
}

/// A key, and its successor that took over.
fn rotated() -> Vec<Did> {
    let algorithm = SigningAlgorithm::Rs256;
    vec![added(1, algorithm), activated(1), added(2, algorithm), activated(2)]
}

#[test]
fn a_key_that_was_never_published_neither_signs_nor_retires() {
    given::<Deployment>(vec![]).when(activate(1)).refused(&No::UnknownSigningKey);
    given::<Deployment>(vec![]).when(retire(1, 0, true)).refused(&No::UnknownSigningKey);
}

#[test]
fn a_key_goes_one_way_only() {
    let past = rotated();
    given::<Deployment>(past.clone()).when(activate(1)).refused(&No::SigningKeySpent);
    for number in [1, 2] {
        let again = add(number, SigningAlgorithm::Rs256);
        given::<Deployment>(past.clone()).when(again).refused(&No::SigningKeySpent);
    }
    let gone: Vec<_> = past.into_iter().chain([retired(1, true)]).collect();
    given::<Deployment>(gone.clone()).when(activate(1)).refused(&No::SigningKeySpent);
    given::<Deployment>(gone).when(add(1, SigningAlgorithm::Rs256)).refused(&No::SigningKeySpent);
}

#[test]
fn the_key_that_signs_is_retired_in_an_emergency_only() {
    let past = vec![added(1, SigningAlgorithm::Es256), activated(1)];
    let ages = SIGNING_KEY_OVERLAP_SECONDS * 100;
    given::<Deployment>(past.clone()).when(retire(1, ages, false)).refused(&No::SigningKeyActive);
    given::<Deployment>(past).when(retire(1, 0, true)).then(&[retired(1, true)]);
}

#[test]
fn a_retiring_key_stays_as_long_as_its_tokens_may_live() {
    let early = retire(1, SIGNING_KEY_OVERLAP_SECONDS - 1, false);
    given::<Deployment>(rotated()).when(early).refused(&No::SigningKeyInUse);
    given::<Deployment>(rotated())
        .when(retire(1, SIGNING_KEY_OVERLAP_SECONDS, false))
        .then(&[retired(1, false)]);
    given::<Deployment>(rotated()).when(retire(1, 0, true)).then(&[retired(1, true)]);
}

#[test]
fn published_keys_are_limited_and_retired_ones_do_not_count() {
    let algorithm = SigningAlgorithm::EdDsa;
    let full: Vec<_> = (0..SIGNING_KEYS_MAX).map(|number| added(number, algorithm)).collect();
    let more = || add(SIGNING_KEYS_MAX, algorithm);
    given::<Deployment>(full.clone()).when(more()).refused(&No::TooManySigningKeys);
    let room = full.into_iter().chain([retired(0, false)]).collect();
    given::<Deployment>(room).when(more()).then(&[added(SIGNING_KEYS_MAX, algorithm)]);
}

#[test]
fn keys_are_made_before_anybody_sets_the_deployment_up() {
    let algorithm = SigningAlgorithm::Rs256;
    let nothing = given::<Deployment>(vec![]);
    nothing.when(add(1, algorithm)).then(&[added(1, algorithm)]);
    given::<Deployment>(vec![added(1, algorithm)]).when(activate(1)).then(&[activated(1)]);
    given::<Deployment>(vec![added(1, algorithm)])
        .when(Ask::Bootstrap { administrator: ANN })
        .then(&[Did::Bootstrapped { administrator: ANN }]);
}

#[test]
fn after_the_algorithm_was_changed_the_key_of_the_one_before_retires_like_any_other() {
    let (rsa, edwards) = (SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa);
    let past = vec![added(1, rsa), activated(1), added(2, edwards), activated(2)];
    let changed = given::<Deployment>(past);
    changed.when(retire(1, SIGNING_KEY_OVERLAP_SECONDS - 1, false)).refused(&No::SigningKeyInUse);
    changed.when(retire(1, SIGNING_KEY_OVERLAP_SECONDS, false)).then(&[retired(1, false)]);
    changed.when(retire(2, SIGNING_KEY_OVERLAP_SECONDS, false)).refused(&No::SigningKeyActive);
    changed.when(activate(1)).refused(&No::SigningKeySpent);
}

#[test]
fn a_step_of_a_key_that_was_made_is_not_made_again() {
    let algorithm = SigningAlgorithm::Rs256;
    given::<Deployment>(vec![added(1, algorithm)]).when(add(1, algorithm)).then(&[]);
    given::<Deployment>(rotated()).when(activate(2)).then(&[]);
    let gone = rotated().into_iter().chain([retired(1, true)]).collect();
    given::<Deployment>(gone).when(retire(1, 0, false)).then(&[]);
    given::<Deployment>(vec![added(1, algorithm)]).when(retire(1, 0, false)).then(&[retired(1, false)]);
}
