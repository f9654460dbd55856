//! What asking about the past costs in this log, and what the view of the present takes in memory.

use std::collections::BTreeSet;
use std::time::Instant;

use domain::value::{ApiKeyId, InstanceId, OrganizationId, Position};
use harness::story;
use projections::LogReader;
use projections::access::evidence::{Evidence, Subject};
use projections::access::{AccessView, Credential};
use projections::history::{History, Made, Range};
use sqlx::PgPool;

use crate::measured::{Latencies, Report, Rounds, quick, real};

/// Keys that one page of "who could" judges.
const KEYS_A_PAGE: u32 = 100;
const BYTES_A_PAGE: usize = 4096;

/// Explaining decisions at positions all over the log, and asking who could.
pub(crate) async fn measure(report: &mut Report, pool: &PgPool, events: usize) {
    let history = History::new(LogReader::new(pool.clone()));
    let (keys, looks) = (events / 10, if quick() { 50 } else { 500 });
    let (mut explaining, mut asking) = (Latencies::default(), Latencies::default());
    let mut facts = 0;
    for look in 0..looks {
        let number = look * 7919 % keys;
        // Between the day on which the last key was issued and now.
        let at = Position::new((events / 4 + look * 104_729 % (events * 3 / 4)) as u64);
        let subject = Subject {
            credential: Credential::Key(ApiKeyId::new(story::key(number))),
            instance: InstanceId::new(story::instance(number % (keys / 100 * 8))),
            tool: "add",
        };
        let started = Instant::now();
        let evidence = Evidence::gather(&history, subject, at).await.expect("the log is read");
        explaining.push(started.elapsed());
        facts += evidence.facts.iter().filter(|fact| fact.set_by.is_some()).count();
        if look % 5 == 0 {
            let organization = OrganizationId::new(story::organization(number % (keys / 100)));
            let started = Instant::now();
            page(&history, organization, subject.instance, at).await;
            asking.push(started.elapsed());
        }
    }
    report.table(
        &format!("looking back, {events} events, as of positions all over the log"),
        &["p50 ms", "p99 ms"],
    );
    assert!(facts > looks * 5, "the story explains its decisions");
    for (label, latencies) in
        [("explain: one decision and its evidence", explaining), ("who could: a page of 100 keys", asking)]
    {
        let (p50, p99) = latencies.p50_p99();
        let [mut middle, mut late] = std::array::from_fn(|_| Rounds::default());
        middle.push(p50);
        late.push(p99);
        report.row(label, &[("p50", &middle), ("p99", &late)]);
        report.at_most(label, p99, 1_000.0, "ms at p99");
    }
}

/// What a page of `GET /v1/authz/who` reads and folds.
async fn page(history: &History, organization: OrganizationId, instance: InstanceId, at: Position) {
    let range = Range { after: Position::START, to: at };
    let made = history.credentials_made(organization, instance, range, KEYS_A_PAGE).await;
    let made = made.expect("the log is read");
    let mut names: BTreeSet<(&'static str, String)> = [
        ("deployment", "deployment".to_owned()),
        ("organization", organization.to_string()),
        ("instance", instance.to_string()),
    ]
    .into();
    for Made { credential, user, .. } in &made {
        names.insert((credential.kind(), credential.uuid().to_string()));
        names.extend(user.map(|user| ("user", user.to_string())));
    }
    let names: Vec<_> = names.into_iter().collect();
    let view = AccessView::of_aggregates(history, &names, at).await.expect("the log is read");
    let is_held = |made: &Made| view.key_by_id(ApiKeyId::new(made.credential.uuid())).is_some();
    assert!(made.iter().all(is_held), "each key is in the view");
}

/// What the view takes, with a hundred thousand keys in it. Asked first, while nothing else was allocated yet.
pub(crate) fn memory(report: &mut Report) {
    let before = resident();
    let mut view = AccessView::default();
    let mut keys = 0;
    for told in story::beginnings() {
        keys += usize::from(told.fact.name().0 == "api_key");
        view.take(view.position().next(), &told.id, told.fact).expect("an event that fits");
    }
    let mut taken = Rounds::default();
    taken.push(real(resident().saturating_sub(before)) / real(keys) * 100_000.0 / 1024.0 / 1024.0);
    report.table("memory of the view", &["MiB for 100,000 keys"]);
    let rest =
        "with the organizations, 40,000 people, 60,000 memberships, 4,000 connections and 8,000 instances";
    report.row(rest, &[("mebibytes", &taken)]);
    drop(view);
}

/// Memory of this process, in bytes.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux tells of its processes");
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("a number of pages") * BYTES_A_PAGE
}
