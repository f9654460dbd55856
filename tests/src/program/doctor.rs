//! `sekisho doctor` and `sekisho migrate`.

use harness::folder;

use super::{command, output, text};

#[test]
fn a_sound_deployment_is_found_sound_and_an_unmigrated_one_is_told_what_to_do() {
    let data = folder("doctor");
    let data = data.to_str().unwrap();
    let before = output(&["doctor", "--data", data]);
    assert_eq!(before.status.code(), Some(1), "{}", text(&before.stdout));
    assert!(text(&before.stderr).contains("sekisho migrate"), "{}", text(&before.stderr));

    let migrated = output(&["migrate", "--data", data]);
    assert_eq!(migrated.status.code(), Some(0), "{}", text(&migrated.stderr));
    assert!(text(&migrated.stdout).contains("the schema is at version 2"), "{}", text(&migrated.stdout));

    let after = output(&["doctor", "--data", data]);
    let told = text(&after.stdout);
    assert_eq!(after.status.code(), Some(0), "{told} {}", text(&after.stderr));
    for thing in ["postgres", "migrations", "clock", "master key", "nats"] {
        assert!(told.lines().any(|line| line.starts_with("ok") && line.contains(thing)), "{thing} in {told}");
    }
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
