//! Folding: how fast the log becomes a view, in memory and out of Postgres.
//!
//! The floors of the rebuild are COPY of the same rows and one plain ordered select of the same columns, both received and thrown away.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on has nothing to say")]

#[path = "fold/directory.rs"]
mod directory;
#[path = "fold/log.rs"]
mod log;
mod measured;
#[path = "fold/past.rs"]
mod past;

use std::time::Instant;

use domain::event::Event;
use domain::value::Position;
use harness::story::{self, Told};
use measured::{Report, Rounds, quick, rate};
use projections::access::{AccessView, LiveView};
use projections::{Doorbell, Foldable, LogReader, Recorded};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    let (events, rounds) = if quick() { (100_000, 1) } else { (1_000_000, 5) };
    let mut report =
        Report::new("fold", &format!("{events} events of one deployment, a tenth as many API keys"));
    past::memory(&mut report);
    let story = story::tell(events);
    let recorded = log::recorded(&story);
    let (pool, _) = harness::database().await;
    log::write(&pool, &recorded).await;
    let recorded: Vec<Foldable> = recorded.into_iter().map(Recorded::into_foldable).collect();
    in_memory(&mut report, &story, &recorded, rounds);
    drop(story);
    from_postgres(&mut report, &pool, recorded.len(), rounds).await;
    directory::measure(&mut report, &pool, &recorded, rounds).await;
    past::measure(&mut report, &pool, recorded.len()).await; // it finds keys in the directory
    report.write();
}

fn in_memory(report: &mut Report, story: &[Told], recorded: &[Foldable], rounds: usize) {
    let [mut decoding, mut folding, mut both] = std::array::from_fn(|_| Rounds::default());
    for _ in 0..rounds {
        let started = Instant::now();
        let facts: Vec<Event> =
            recorded.iter().map(|event| event.decode().expect("an event that we know")).collect();
        decoding.push(rate(facts.len(), started.elapsed()));
        drop(facts);

        let story: Vec<Told> = story.to_vec(); // the fold keeps what it is given
        let mut view = AccessView::default();
        let started = Instant::now();
        for told in story {
            view.take(view.position().next(), &told.id, told.fact).expect("an event that fits");
        }
        folding.push(rate(recorded.len(), started.elapsed()));
        drop(view);

        let mut view = AccessView::default();
        let started = Instant::now();
        for event in recorded {
            view.apply(event).expect("an event that fits");
        }
        both.push(rate(recorded.len(), started.elapsed()));
    }
    report.table("in memory", &["events/s"]);
    report.row("JSON text -> typed", &[("rate", &decoding)]);
    report.row("typed -> access view", &[("rate", &folding)]);
    report.row("JSON text -> typed -> access view", &[("rate", &both)]);
    report.at_least("typed -> access view", folding.median(), 2e6, "events/s");
    report.at_least("typed replay in memory", both.median(), 350e3, "events/s");
}

async fn from_postgres(report: &mut Report, pool: &PgPool, count: usize, rounds: usize) {
    let head = Position::new(count as u64);
    let [mut copy, mut select, mut pages, mut view] = std::array::from_fn(|_| Rounds::default());
    for _ in 0..rounds {
        let started = Instant::now();
        log::copy_all(pool).await;
        copy.push(rate(count, started.elapsed()));

        let started = Instant::now();
        assert_eq!(log::select_all(pool).await, count);
        select.push(rate(count, started.elapsed()));

        let started = Instant::now();
        assert_eq!(typed_pages(pool).await, count);
        pages.push(rate(count, started.elapsed()));

        let started = Instant::now();
        rebuilt(pool, head).await;
        view.push(rate(count, started.elapsed()));
    }
    report.table("from Postgres", &["events/s", "ratio to COPY", "ratio to select"]);
    let rows = [
        ("floor: COPY to stdout, bytes thrown away", &copy),
        ("floor: one ordered select, rows thrown away", &select),
        ("log reader, pages decoded to typed events", &pages),
        ("access view of a node that starts", &view),
    ];
    for (label, rounds) in rows {
        let (to_copy, to_select) = (rounds.over(&copy), rounds.over(&select));
        report.row(label, &[("rate", rounds), ("over_copy", &to_copy), ("over_select", &to_select)]);
    }
    report.at_least("typed replay from Postgres", pages.median(), 350e3, "events/s");
    report.at_most("access view of 1,000,000 events", 1e6 / view.median(), 4.0, "s");
}

async fn typed_pages(pool: &PgPool) -> usize {
    let mut pages = LogReader::new(pool.clone()).pages::<()>(Position::START);
    let mut count = 0;
    loop {
        let page = pages.next().await.expect("the log is read");
        if page.is_empty() {
            return count;
        }
        count += page.iter().filter(|event| event.decode().is_ok()).count();
    }
}

/// What a node does when it starts: it follows the log until its view is at the head.
async fn rebuilt(pool: &PgPool, head: Position) {
    let (view, stop) = (LiveView::default(), CancellationToken::new());
    let following = tokio::spawn({
        let (view, log, stop) = (view.clone(), LogReader::new(pool.clone()), stop.clone());
        async move { view.follow(log, Doorbell::default(), None, stop).await }
    });
    view.reached(head).await;
    stop.cancel();
    following.await.expect("it stops");
}
