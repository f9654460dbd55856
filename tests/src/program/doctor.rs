//! `sekisho doctor` and `sekisho migrate`.

use std::path::Path;

use harness::{Program, folder};

use super::{command, output, text};

#[test]
fn a_machine_that_can_serve_is_found_sound_and_nothing_is_made_for_the_look() {
    let data = folder("doctor-first");
    let found = output(&["doctor", "--data", data.to_str().unwrap()]);
    let told = text(&found.stdout);
    assert_eq!(found.status.code(), Some(0), "{told}");
    assert!(told.contains("the first start makes a cluster"), "{told}");
    let made = std::fs::read_dir(&data).map(Iterator::count).unwrap_or_default();
    assert_eq!(made, 0, "doctor made something in {}", data.display());
}

#[tokio::test]
async fn a_sound_deployment_is_found_sound_while_it_is_stopped_and_while_it_runs() {
    let data = folder("doctor");
    let migrated = output(&["migrate", "--data", data.to_str().unwrap()]);
    assert_eq!(migrated.status.code(), Some(0), "{}", text(&migrated.stderr));
    assert!(text(&migrated.stdout).contains("the schema is at version 22"), "{}", text(&migrated.stdout));
    found_sound(&data);

    let program = Program::start("doctor").await;
    let told = found_sound(&data);
    assert!(told.contains(&format!("(process {})", program.process())), "{told}");
    assert!(program.stop().await.success());
}

fn found_sound(data: &Path) -> String {
    let found = output(&["doctor", "--data", data.to_str().unwrap()]);
    let told = text(&found.stdout);
    assert_eq!(found.status.code(), Some(0), "{told} {}", text(&found.stderr));
    for thing in ["store", "postgres", "migrations", "clock", "master key", "nats"] {
        let line =
            told.lines().find(|line| line.contains(thing)).unwrap_or_else(|| panic!("{thing} in {told}"));
        assert!(!line.starts_with("WRONG"), "{told}");
    }
    told
}

#[tokio::test]
async fn a_database_without_the_schema_is_told_what_to_do() {
    let (pool, database) = harness::database().await;
    let bare = format!("{}_bare", database.name);
    sqlx::query(&format!("create database {bare}")).execute(&pool).await.unwrap();
    let address = harness::cluster().url_of(&bare);
    let key = text(&output(&["keys", "generate-master"]).stdout);
    let found =
        command(&["doctor", "--master-key", key.trim()]).env("DATABASE_URL", address).output().unwrap();
    let told = text(&found.stdout);
    assert_eq!(found.status.code(), Some(1), "{told}");
    assert!(told.contains("WRONG migrations") && told.contains("do: run `sekisho migrate`"), "{told}");
}

#[test]
fn another_master_key_than_the_databases_is_found_out() {
    let data = folder("doctor-key");
    let demo = super::Demo::start(&data, |_| {});
    assert_eq!(demo.stop(), Some(0));
    let other = text(&output(&["keys", "generate-master"]).stdout);
    let found = command(&["doctor", "--data", data.to_str().unwrap(), "--master-key", other.trim()])
        .output()
        .unwrap();
    assert_eq!(found.status.code(), Some(1));
    assert!(text(&found.stdout).contains("WRONG master key"), "{}", text(&found.stdout));
    assert!(
        !text(&found.stdout).contains(other.trim()) && !text(&found.stderr).contains(other.trim()),
        "a key was printed"
    );
}
