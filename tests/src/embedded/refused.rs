//! What it will not touch, and what it says instead.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use api::adapters::embedded::EmbeddedError;

use super::asking::answer;
use super::machine::{is_root, major_of, system_postgres, wheel_postgres};
use super::owner::{Owner, start};

#[tokio::test]
async fn a_folder_with_somebody_elses_cluster_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("PG_VERSION"), "15\n").unwrap();
    let refused = start(folder.path()).await.unwrap_err();
    assert!(
        matches!(&refused, EmbeddedError::ForeignFolder { entry, .. } if entry == "PG_VERSION"),
        "{refused}"
    );
    assert!(refused.to_string().contains("--data"), "{refused}");
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["PG_VERSION"]);
}

#[tokio::test]
async fn a_folder_with_any_other_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "do not lose me").unwrap();
    let refused = start(folder.path()).await.unwrap_err();
    assert!(matches!(refused, EmbeddedError::ForeignFolder { .. }), "{refused}");
}

#[tokio::test]
async fn a_marker_of_a_later_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let marker = r#"{"format": 2, "made_by": "sekisho 9.0.0", "postgres_major": 18}"#;
    fs::write(folder.path().join("sekisho-cluster.json"), marker).unwrap();
    let refused = start(folder.path()).await.unwrap_err();
    assert!(matches!(refused, EmbeddedError::UnreadableMarker { .. }), "{refused}");
}

#[tokio::test]
async fn two_owners_of_one_folder_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Owner::of(folder.path(), &[]);
    let refused = start(folder.path()).await.unwrap_err();
    let expected = format!("(process {})", owner.process.id());
    assert!(matches!(refused, EmbeddedError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains(&expected), "{refused}");
    owner.kill();
}

#[tokio::test]
async fn started_as_root_a_folder_behind_a_closed_one_is_refused_by_name() {
    if !is_root() {
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let refused = start(&closed.path().join("data")).await.unwrap_err();
    let EmbeddedError::Unreachable { blocked, .. } = &refused else { panic!("{refused}") };
    assert_eq!(blocked, &closed.path().canonicalize().unwrap());
}

#[tokio::test]
async fn a_cluster_of_another_major_is_refused_with_both_named_and_served_by_its_own() {
    let (Some(wheel), Some(system)) = (wheel_postgres(), system_postgres()) else {
        eprintln!("skipped: this needs the Postgres of the wheel and one of another major");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    Owner::of(folder.path(), &[("SEKISHO_POSTGRES_BIN", &wheel)]).kill();
    let refused = Owner::try_of(folder.path(), &[("SEKISHO_POSTGRES_BIN", &system)]).unwrap_err();
    assert!(refused.contains("was made by PostgreSQL 18"), "{refused}");
    assert!(refused.contains(&format!("only PostgreSQL {}", major_of(&system))), "{refused}");
    // Left to search, the right one is found among them, although it is not the first.
    let cache = wheel.parent().and_then(Path::parent).unwrap();
    let mut owner = Owner::of(folder.path(), &[("SEKISHO_CACHE", cache)]);
    assert_eq!(
        answer(&owner.database_url, "select current_setting('server_version_num')").await.get(..2),
        Some("18")
    );
    owner.kill();
}
