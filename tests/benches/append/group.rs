//! The product's way: one appender, any number of callers.

use std::time::{Duration, Instant};

use api::adapters::postgres;
use api::adapters::postgres_events::Appender;
use domain::value::Position;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::command::Command;
use crate::measured::Latencies;

/// So many callers for so long.
pub(crate) async fn measure(database: &str, callers: usize, span: Duration) -> (Latencies, Duration) {
    let (commits, _committed) = watch::channel(Position::START);
    let (appender, task) = Appender::new(postgres::options(database).expect("an address"), commits);
    let task = tokio::spawn(task.run());
    appender.append(Command::new().encoded()).await.expect("the log takes a command"); // connects, and plans the statements
    let started = Instant::now();
    let mut running: JoinSet<Latencies> = (0..callers)
        .map(|_| {
            let appender = appender.clone();
            async move {
                let mut latencies = Latencies::default();
                while started.elapsed() < span {
                    let asked = Instant::now();
                    appender.append(Command::new().encoded()).await.expect("the log takes a command");
                    latencies.push(asked.elapsed());
                }
                latencies
            }
        })
        .collect();
    let mut all = Latencies::default();
    while let Some(latencies) = running.join_next().await {
        all.extend(latencies.expect("a caller ends"));
    }
    let took = started.elapsed();
    drop(appender);
    task.await.expect("the appender ends");
    (all, took)
}
