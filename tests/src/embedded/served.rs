//! What it is once it runs: durable, private, and served by whichever binaries there are.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use api::adapters::embedded::{Embedded, EmbeddedConfig};

use super::asking::{answer, no_nats, round_trip};
use super::machine::{is_root, open_folder, wheel_postgres};
use super::owner::{Owner, start};

#[tokio::test]
async fn it_is_durable_private_and_its_role_is_no_superuser() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = start(folder.path()).await.unwrap();
    for (setting, expected) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("server_encoding", "UTF8"),
        ("is_superuser", "off"),
    ] {
        assert_eq!(answer(embedded.database_url(), &format!("show {setting}")).await, expected, "{setting}");
    }
    let who = answer(embedded.database_url(), "select current_user || '@' || current_database()").await;
    assert_eq!(who, "sekisho@sekisho");
    let closed = |name: &str| fs::metadata(folder.path().join(name)).unwrap().mode() & 0o777;
    assert_eq!((closed("postgres"), closed("socket"), closed("nats")), (0o700, 0o700, 0o700));
    embedded.stop().await;
}

#[tokio::test]
async fn started_as_root_the_servers_run_as_the_service_user() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap(); // an empty folder of ours is ours to open
    let embedded = start(folder.path()).await.unwrap();
    let pids = embedded.pids();
    for pid in [pids.postgres, pids.nats].into_iter().flatten() {
        assert_ne!(fs::metadata(format!("/proc/{pid}")).unwrap().uid(), 0);
    }
    assert!(embedded.describe().join("\n").contains("as user "), "{:?}", embedded.describe());
    embedded.stop().await;
}

#[tokio::test]
async fn nats_lets_nobody_in_without_the_password_and_shows_it_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = start(folder.path()).await.unwrap();
    let (Some(url), Some(pid)) = (embedded.nats_url(), embedded.pids().nats) else {
        return no_nats(embedded).await;
    };
    let (credential, address) = url.trim_start_matches("nats://").split_once('@').unwrap();
    assert!(async_nats::connect(address).await.is_err());
    let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let password = credential.split_once(':').unwrap().1;
    assert!(!String::from_utf8_lossy(&command_line).contains(password));
    let configuration = fs::metadata(folder.path().join("nats/server.conf")).unwrap();
    assert_eq!(configuration.mode() & 0o777, 0o600);
    round_trip(url).await.unwrap();
    embedded.stop().await;
}

#[tokio::test]
async fn a_long_path_and_an_odd_one_are_served_all_the_same() {
    let base = open_folder();
    for name in ["an odd one, with 'quotes' & \"more\" + 100% {braces} $HOME é", &"long".repeat(40)] {
        let folder = base.path().join(name);
        let embedded = start(&folder).await.unwrap();
        assert_eq!(answer(embedded.database_url(), "select 'served'").await, "served", "{name}");
        if let Some(url) = embedded.nats_url() {
            round_trip(url).await.unwrap();
        }
        embedded.stop().await;
    }
}

#[tokio::test]
async fn without_nats_it_is_not_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let config = EmbeddedConfig { data: folder.path().to_owned(), nats: None, search: Vec::new() };
    let embedded = Embedded::start(config).await.unwrap();
    assert_eq!((embedded.nats_url(), embedded.pids().nats), (None, None));
    assert_eq!(embedded.describe().len(), 1);
    embedded.stop().await;
}

#[tokio::test]
async fn a_nats_server_that_is_too_old_is_passed_over_by_its_version() {
    let programs = open_folder();
    let old = programs.path().join("nats-server");
    fs::write(&old, "#!/bin/sh\necho 'nats-server: v2.9.10'\n").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = format!("{}:/usr/bin:/bin", programs.path().display());
    let mut owner = Owner::of(folder.path(), &[("PATH", path.as_ref()), ("SEKISHO_CACHE", programs.path())]);
    let expected = format!("{}: it is version 2.9.10, and 2.10 or newer is needed", old.display());
    assert!(owner.description.contains(&expected), "{}", owner.description);
    assert_eq!(answer(&owner.database_url, "select 'served'").await, "served");
    owner.kill();
}

#[tokio::test]
async fn the_postgres_of_the_wheel_serves_too() {
    let Some(wheel) = wheel_postgres() else {
        eprintln!("skipped: no Postgres of the wheel in the cache");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Owner::of(folder.path(), &[("SEKISHO_POSTGRES_BIN", &wheel)]);
    let said = answer(
        &owner.database_url,
        "select current_setting('server_version') || current_setting('data_checksums')",
    )
    .await;
    assert!(said.starts_with("18") && said.ends_with("on"), "{said}");
    owner.kill();
}
