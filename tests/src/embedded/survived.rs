//! What it survives: restarts, kills of each process and of all of them, and a start that was cut short.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::asking::{answer, eventually, no_nats, round_trip, write_down};
use super::machine::{guardians_of, is_alive, is_root, kill};
use super::owner::{Owner, start};

#[tokio::test]
async fn what_was_written_is_there_after_a_restart_and_a_stop_leaves_nothing_running() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = start(folder.path()).await.unwrap();
    write_down(embedded.database_url(), "kept").await;
    let pids = embedded.pids();
    embedded.stop().await;
    assert!(!is_alive(pids.postgres) && !is_alive(pids.nats));

    let embedded = start(folder.path()).await.unwrap();
    assert_eq!(answer(embedded.database_url(), "select word from notes").await, "kept");
    embedded.stop().await;
}

#[tokio::test]
async fn a_killed_postmaster_is_started_again_on_the_same_socket_with_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = start(folder.path()).await.unwrap();
    for word in ["first", "second", "third"] {
        write_down(embedded.database_url(), word).await;
        let killed = embedded.pids().postgres.unwrap();
        kill(killed);
        eventually("another postmaster", || embedded.pids().postgres.filter(|pid| *pid != killed)).await;
        let last = "select word from notes order by number desc limit 1";
        assert_eq!(answer(embedded.database_url(), last).await, word);
    }
    embedded.stop().await;
}

#[tokio::test]
async fn a_killed_nats_server_is_started_again_on_the_same_port_with_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = start(folder.path()).await.unwrap();
    let (Some(url), Some(killed)) = (embedded.nats_url(), embedded.pids().nats) else {
        return no_nats(embedded).await;
    };
    round_trip(url).await.unwrap();
    kill(killed);
    eventually("another nats-server", || embedded.pids().nats.filter(|pid| *pid != killed)).await;
    round_trip(url).await.unwrap();
    embedded.stop().await;
}

#[tokio::test]
async fn killed_guardians_cost_a_restart_and_no_data() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = start(folder.path()).await.unwrap();
    write_down(embedded.database_url(), "acknowledged").await;
    let before = embedded.pids();
    for guardian in guardians_of(before.postgres).into_iter().chain(guardians_of(before.nats)) {
        kill(guardian);
    }
    eventually("other servers", || {
        let now = embedded.pids();
        let restarted = now.postgres.is_some_and(|_| now.postgres != before.postgres)
            && (before.nats.is_none() || now.nats.is_some_and(|_| now.nats != before.nats));
        restarted.then_some(())
    })
    .await;
    assert!(!is_alive(before.postgres) && !is_alive(before.nats));
    assert_eq!(answer(embedded.database_url(), "select word from notes").await, "acknowledged");
    embedded.stop().await;
}

#[tokio::test]
async fn an_owner_killed_by_9_leaves_no_orphans_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Owner::of(folder.path(), &[]);
    write_down(&owner.database_url, "acknowledged").await;
    owner.kill();
    eventually("no orphans", || (!is_alive(owner.postgres) && !is_alive(owner.nats)).then_some(())).await;

    let embedded = start(folder.path()).await.unwrap();
    assert_eq!(answer(embedded.database_url(), "select word from notes").await, "acknowledged");
    embedded.stop().await;
}

#[tokio::test]
async fn the_next_owner_may_start_at_once_and_stops_what_even_the_guardians_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Owner::of(folder.path(), &[]);
    write_down(&owner.database_url, "acknowledged").await;
    for guardian in guardians_of(owner.postgres).into_iter().chain(guardians_of(owner.nats)) {
        kill(guardian);
    }
    owner.kill();

    let embedded = start(folder.path()).await.unwrap();
    assert!(!is_alive(owner.postgres));
    assert_eq!(answer(embedded.database_url(), "select word from notes").await, "acknowledged");
    if let Some(url) = embedded.nats_url() {
        assert!(!is_alive(owner.nats));
        round_trip(url).await.unwrap();
    }
    embedded.stop().await;
}

#[tokio::test]
async fn a_start_that_was_cut_short_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let marker = r#"{"format": 1, "made_by": "sekisho 0.1.0", "postgres_major": 15}"#;
    fs::write(folder.path().join("sekisho-cluster.json"), marker).unwrap();
    fs::create_dir(folder.path().join("postgres.new-0123abcd")).unwrap();
    fs::write(folder.path().join("postgres.new-0123abcd/PG_VERSION"), "15\n").unwrap();
    if is_root() {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    }
    let embedded = start(folder.path()).await.unwrap();
    assert_eq!(answer(embedded.database_url(), "select 'served'").await, "served");
    assert!(!folder.path().join("postgres.new-0123abcd").exists());
    embedded.stop().await;
}
