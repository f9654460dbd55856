//! Chaos: three nodes on one Postgres and one NATS, while processes are killed and stopped, stores are lost and put back, and links are cut, reset
//! and slow; writers write all the while, through the API and past it. Afterwards every reader has seen every event once and in order, every
//! acknowledged command is there once, and all that was made of the log is what the log makes of it.
//!
//! `./test` runs the short form and `./chaos` the long one. Both print the seed of their dice first and take it from `SEKISHO_KILL_SEED`; what
//! happens at the same time is not repeated by it, only what is tried. On a violation the evidence is kept, and where is said.

mod bulk;
mod checkpoints;
mod consumer;
mod evidence;
mod follower;
mod links;
mod people;
mod revocation;
mod run;
mod seen;
mod trouble;
mod verdict;
mod world;

use std::time::Duration;

use run::Plan;

/// What this variable says, or what is usual.
fn wanted(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_come_through_every_trouble_with_one_story() {
    let plan = Plan {
        name: "short-chaos",
        events: 3_000,
        time: Duration::from_secs(15),
        trouble_milliseconds: 200..1_500,
    };
    plan.carry_out().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the long form: ./chaos"]
async fn three_nodes_come_through_every_trouble_for_a_long_time() {
    let minutes = wanted("SEKISHO_CHAOS_MINUTES", 8);
    let plan = Plan {
        name: "long-chaos",
        events: wanted("SEKISHO_CHAOS_EVENTS", 200_000),
        time: Duration::from_secs(60 * minutes as u64),
        trouble_milliseconds: 200..5_000,
    };
    plan.carry_out().await;
}
