//! Case 13: the node that refreshes a token is killed, before its commit and between that and the answer. Whoever asks again elsewhere is answered.

use std::time::Duration;

use harness::{Program, Victim, cluster};

use super::scene::{Scene, text, until};

/// A pause that the database makes once the successor is written: in the statement, or in the commit behind it.
const PAUSES: [&str; 2] = [
    "create trigger pause after insert on refresh_tokens for each row execute function pause()",
    "create constraint trigger pause after insert on refresh_tokens deferrable initially deferred for each row execute function pause()",
];
const FUNCTION: &str = "create function pause() returns trigger language plpgsql as 'begin perform pg_sleep(3); return null; end'";
const IN_PAUSE: &str =
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";

impl Scene {
    async fn run(&self, statement: &str) {
        sqlx::query(statement).execute(&self.world.node.running.pool).await.expect("the database does it");
    }

    /// A node of this world as a process of its own.
    async fn process(&self) -> Program {
        let name = &self.world.database.name;
        let environment = vec![
            ("DATABASE_URL", self.world.database.url.clone()),
            ("NATS_URL", cluster().nats_url().to_owned()),
            ("SEKISHO_NATS_STREAM", format!("EVENTS_{name}")),
            ("SEKISHO_NATS_PREFIX", format!("events-{name}")),
            ("SEKISHO_MASTER_KEY", self.world.master_key().to_owned()),
            ("SEKISHO_PUBLIC_URL", self.world.node.running.url.clone()),
            ("SEKISHO_SIGNING_ALGORITHM", "EdDSA".to_owned()),
        ];
        let mut program = Program::launch(&format!("{name}-killed"), environment);
        program.answers().await;
        program
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_13_a_retry_after_the_node_was_killed_in_the_middle_of_a_refresh_is_answered_elsewhere() {
    let scene = Scene::start().await;
    scene.run(FUNCTION).await;
    let mut program = scene.process().await;
    for (pause, is_committed) in PAUSES.into_iter().zip([false, true]) {
        let client = if is_committed { &scene.app } else { &scene.desk };
        let granted = scene.granted(client).await;
        let before = scene.tokens().await;
        scene.run(pause).await;
        // It refreshes as soon as it has read the grant.
        let (http, asking, token) = (program.http(), client.clone(), granted.token.clone());
        let asked = tokio::spawn(async move {
            loop {
                let answer = asking.refresh_at(http.clone(), &token, "").await;
                assert_eq!(
                    answer.status.as_u16(),
                    503,
                    "it knows nothing of the grant yet: {}",
                    answer.body()
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        until("the node is in the middle of it", async || scene.count(IN_PAUSE).await == 1).await;
        program.kill(Victim::Sekisho).await;
        assert!(asked.await.is_err(), "nobody was answered");
        until("the database is done with it", async || scene.count(IN_PAUSE).await == 0).await;
        let spent = i64::from(is_committed);
        until("what was under way is over", async || scene.tokens().await == before + spent).await;
        scene.run("drop trigger pause on refresh_tokens").await;
        scene.seconds_pass(-3_600).await; // a slow machine is no lost answer

        let answer = scene.refresh(client, &granted.token, "").await;
        let next = text(&answer.good(), "refresh_token");
        scene.call(&text(&answer.good(), "access_token")).await.good();
        assert_eq!(scene.tokens().await, before + 1, "one successor");
        assert_eq!(scene.refresh(client, &granted.token, "").await.bytes, answer.bytes);
        scene.refresh(client, &next, "").await.good();
        assert_eq!(scene.ends(&granted.grant).await, Vec::<String>::new());
        program.start_again().await;
    }
}
