//! Appending: commands through the product's group commit, against the same rows by plain parallel `INSERT`, in turns.
//!
//! The floor has the same columns, checks and indexes, and an identity for a position: no order, no lock, no idempotency.
//! It is measured twice: with the event alone, and with the record of its command, which the product always writes.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on has nothing to say")]

#[path = "append/command.rs"]
mod command;
#[path = "append/group.rs"]
mod group;
mod measured;
#[path = "append/notary.rs"]
mod notary;
#[path = "append/plain.rs"]
mod plain;
#[path = "append/use_case.rs"]
mod use_case;

use std::time::Duration;

use measured::{Latencies, Report, Rounds, quick, rate};

const CALLERS: [usize; 4] = [1, 8, 32, 128];
/// The embedded Postgres takes 100 connections, and the appender and the harness need some.
const CONNECTIONS_MAX: usize = 90;

/// What one way of appending gave, round by round.
#[derive(Debug, Default)]
struct Figures {
    rate: Rounds,
    p50: Rounds,
    p99: Rounds,
}

impl Figures {
    fn add(&mut self, (latencies, took): (Latencies, Duration)) {
        self.rate.push(rate(latencies.count(), took));
        let (p50, p99) = latencies.p50_p99();
        self.p50.push(p50);
        self.p99.push(p99);
    }
}

#[tokio::main]
async fn main() {
    let (rounds, span) = if quick() { (1, Duration::from_millis(500)) } else { (3, Duration::from_secs(4)) };
    let mut report = Report::new("append", "durable commands a second, one event each");
    let (pool, database) = harness::database().await;
    plain::make_tables(&pool).await;
    let (payload, metadata) = command::Command::new().sizes();
    report.line(&format!(
        "An event has {payload} bytes of payload and {metadata} bytes of metadata; fsync is on."
    ));

    for callers in CALLERS {
        let connections = callers.min(CONNECTIONS_MAX);
        let [mut group, mut alone, mut recorded] = std::array::from_fn(|_| Figures::default());
        for _ in 0..rounds {
            group.add(group::measure(&database.url, callers, span).await);
            alone.add(plain::measure(&database.url, connections, span, plain::Rows::EventAlone).await);
            recorded
                .add(plain::measure(&database.url, connections, span, plain::Rows::EventAndCommand).await);
        }
        report.table(
            &format!("{callers} callers"),
            &["commits/s", "p50 ms", "p99 ms", "ratio to group commit"],
        );
        let row = |report: &mut Report, label: &str, figures: &Figures| {
            let ratio = group.rate.over(&figures.rate);
            let columns = [
                ("rate", &figures.rate),
                ("p50_ms", &figures.p50),
                ("p99_ms", &figures.p99),
                ("group_commit_over_this", &ratio),
            ];
            report.row(label, &columns);
            ratio.median()
        };
        row(&mut report, "group commit", &group);
        let to_alone = row(&mut report, &format!("INSERT event, {connections} connections"), &alone);
        let to_recorded =
            row(&mut report, &format!("INSERT event + command, {connections} connections"), &recorded);
        for (floor, ratio) in [("INSERT event", to_alone), ("INSERT event + command", to_recorded)] {
            match callers {
                32 => report.at_least(&format!("group commit / {floor}, 32 callers"), ratio, 1.0, "x"),
                128 => report.at_least(&format!("group commit / {floor}, 128 callers"), ratio, 1.5, "x"),
                _ => {}
            }
        }
    }
    notary::measure(&mut report, (&pool, &database.url), rounds, span).await;
    use_case::measure(&mut report, rounds, span).await;
    report.write();
}
