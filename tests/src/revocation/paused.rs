//! A node that is stopped by a signal wakes up as old as it was stopped long, whatever lies in its buffers.

use std::process::Stdio;
use std::time::Duration;

use harness::{Http, THIS_MACHINE, cluster, sekisho, signal};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::scene::{BOUND, Scene, reason, until};

/// A node as a process of its own on the world of a scene.
async fn process(scene: &Scene) -> (Child, Http) {
    let name = &scene.world.database.name;
    let mut command = Command::new(sekisho());
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(cluster().folder().join(format!("{name}-paused")));
    command
        .env("DATABASE_URL", &scene.world.database.url)
        .env("NATS_URL", cluster().nats_url())
        .env("SEKISHO_NATS_STREAM", format!("EVENTS_{name}"))
        .env("SEKISHO_NATS_PREFIX", format!("events-{name}"))
        .env("SEKISHO_MASTER_KEY", scene.world.master_key())
        .env("SEKISHO_BOOTSTRAP_TOKEN", "a bootstrap token for tests")
        .env("SEKISHO_UPSTREAM_NETWORKS", THIS_MACHINE)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("a process");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let url = tokio::time::timeout(Duration::from_mins(1), async {
        while let Some(line) = lines.next_line().await.expect("its output") {
            if let Some(url) = line.strip_prefix("serving on ") {
                return url.to_owned();
            }
        }
        panic!("it ended before it served");
    });
    let http = Http::new(&url.await.expect("it serves within a minute"));
    (child, http)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_paused_lets_nobody_in_by_what_it_knew_before() {
    let scene = Scene::start().await;
    let (child, node) = process(&scene).await;
    let pid = child.id().expect("it runs");
    for _ in 0..3 {
        let key = scene.key().await;
        until("the node knows the key", async || scene.call_at(&node, &key).await.status == 200).await;
        signal("STOP", pid);
        scene.revoke(&key).await;
        // Calls that lie in its buffers when it wakes: the first thing that it can do is to answer them.
        let waiting = (0..20).map(|_| {
            let (node, key, path) = (node.clone(), key.clone(), scene.instance.path());
            tokio::spawn(async move {
                let call = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
                node.as_key(&key.text).post(&path, &call).await
            })
        });
        let waiting: Vec<_> = waiting.collect();
        tokio::time::sleep(BOUND * 2).await;
        signal("CONT", pid);
        for answer in waiting {
            let answer = answer.await.expect("an answer");
            assert_ne!(answer.status, 200, "a revoked key was let in");
            assert!(["key-revoked", "view-stale"].contains(&reason(&answer).as_str()), "{}", reason(&answer));
        }
    }
}
