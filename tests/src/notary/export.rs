//! `sekisho verify --export`: offline, with nothing but the export, the checkpoints and the public key. Exact where positions tell, else to
//! the stretch between two checkpoints.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{exported, said, signed_world, verify};

/// An export with its checkpoints and the key that signed them.
struct Export {
    file: PathBuf,
    checkpoints: PathBuf,
    key: String,
    lines: Vec<String>,
    /// Sizes that were signed.
    sizes: Vec<u64>,
    /// Where the log is.
    database: String,
}

async fn export() -> Export {
    let (pool, database, key) = signed_world().await;
    let file = exported(&pool, &database).await;
    let lines = std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    let sizes: Vec<i64> = sqlx::query_scalar("select size from notary_checkpoints order by size")
        .fetch_all(&pool)
        .await
        .unwrap();
    let sizes = sizes.into_iter().map(i64::unsigned_abs).collect();
    Export {
        file,
        checkpoints: database.checkpoint_file(),
        key: key.to_string(),
        lines,
        sizes,
        database: database.url.clone(),
    }
}

impl Export {
    fn verified(&self, code: i32) -> String {
        std::fs::write(&self.file, self.lines.join("\n") + "\n").unwrap();
        said(&verify(None, &self.arguments(&self.checkpoints)), code)
    }

    fn arguments<'a>(&'a self, checkpoints: &'a Path) -> [&'a str; 6] {
        let [file, checkpoints] = [&self.file, checkpoints].map(|path| path.to_str().unwrap());
        ["--export", file, "--checkpoint", checkpoints, "--public-key", &self.key]
    }

    fn wrong(&self, position: u64) -> String {
        let told = self.verified(1);
        assert!(told.starts_with(&format!("WRONG first bad position {position}:")), "{told}");
        told
    }

    /// The stretch between two checkpoints in which a position lies: after the first, up to the second.
    fn stretch(&self, position: u64) -> (u64, u64) {
        let end = *self.sizes.iter().find(|size| **size >= position).unwrap();
        (self.sizes.iter().copied().rfind(|size| *size < position).unwrap_or(0), end)
    }

    /// The same event under another position, as an intruder would write it.
    fn moved(&self, index: usize, to: u64) -> String {
        let from = serde_json::from_str::<Value>(&self.lines[index]).unwrap()["position"].as_u64().unwrap();
        self.lines[index].replacen(&format!("\"position\":{from},"), &format!("\"position\":{to},"), 1)
    }
}

#[tokio::test]
async fn an_untouched_export_is_good_with_all_checkpoints_or_with_one() {
    let export = export().await;
    let told = export.verified(0);
    let count = export.lines.len();
    assert!(told.contains(&format!("{count} events, positions 1 to {count} as they were signed")), "{told}");
    // One note alone, as it is served, and the key in a file.
    let (one, key) = (export.file.with_extension("one"), export.file.with_extension("key"));
    let notes = std::fs::read_to_string(&export.checkpoints).unwrap();
    std::fs::write(
        &one,
        notes.split_inclusive("\n\n").take(2).collect::<String>().trim_end_matches('\n').to_owned() + "\n",
    )
    .unwrap();
    std::fs::write(&key, format!("{}\n", export.key)).unwrap();
    let mut arguments = export.arguments(&one);
    arguments[5] = key.to_str().unwrap();
    let told = said(&verify(None, &arguments), 0);
    assert!(told.contains("(1 checkpoints)") && told.contains("not covered by a checkpoint yet"), "{told}");
}

#[tokio::test]
async fn a_changed_event_is_named_by_its_stretch() {
    let mut export = export().await;
    let position = export.sizes[1];
    let index = usize::try_from(position).unwrap() - 1;
    export.lines[index] = export.lines[index].replace("\"actor\": \"user:", "\"actor\": \"user;");
    let (after, to) = export.stretch(position);
    let told = export.wrong(after + 1);
    assert!(told.contains(&format!("up to position {to} is not the one that was signed")), "{told}");
}

#[tokio::test]
async fn a_deleted_event_is_named_and_by_its_stretch_when_the_rest_was_moved_up() {
    let mut export = export().await;
    export.lines.remove(7);
    export.wrong(8);
    for index in 7..export.lines.len() {
        export.lines[index] = export.moved(index, index as u64 + 1);
    }
    export.wrong(export.stretch(8).0 + 1);
}

#[tokio::test]
async fn an_inserted_event_is_named_and_by_its_stretch_when_the_rest_was_moved_down() {
    let mut export = export().await;
    export.lines.insert(7, export.lines[3].clone());
    export.wrong(8);
    for index in 7..export.lines.len() {
        let from = serde_json::from_str::<Value>(&export.lines[index]).unwrap()["position"].as_u64().unwrap();
        let here = export.lines[index].replacen(
            &format!("\"position\":{from},"),
            &format!("\"position\":{},", index + 1),
            1,
        );
        export.lines[index] = here;
    }
    export.wrong(export.stretch(8).0 + 1);
}

#[tokio::test]
async fn two_events_that_changed_places_are_named_and_by_their_stretch_when_they_changed_positions_too() {
    let mut export = export().await;
    export.lines.swap(4, 8);
    export.wrong(5);
    (export.lines[4], export.lines[8]) = (export.moved(4, 5), export.moved(8, 9));
    export.wrong(export.stretch(5).0 + 1);
}

#[tokio::test]
async fn a_truncated_export_is_named() {
    let mut export = export().await;
    let count = export.lines.len();
    export.lines.truncate(count - 2);
    let told = export.wrong(count as u64 - 1);
    assert!(told.contains(&format!("{count} events were signed")), "{told}");
}

#[tokio::test]
async fn a_line_that_says_more_than_was_signed_is_named() {
    let mut export = export().await;
    export.lines[4] = export.lines[4].replacen('{', "{\"approved_by\":\"auditor\",", 1);
    let told = export.wrong(5);
    assert!(told.contains("members that no checkpoint covers"), "{told}");
}

#[tokio::test]
async fn a_changed_checkpoint_or_none_verifies_nothing() {
    let export = export().await;
    let notes = std::fs::read_to_string(&export.checkpoints).unwrap();
    let changed = export.file.with_extension("changed");
    let size = export.sizes[0].to_string();
    std::fs::write(&changed, notes.replacen(&format!("\n{size}\n"), &format!("\n1{size}\n"), 1)).unwrap();
    let told = said(&verify(None, &export.arguments(&changed)), 2);
    assert!(told.contains("the signature under this checkpoint is wrong"), "{told}");
    said(&verify(None, &["--export", export.file.to_str().unwrap()]), 2);
}

#[tokio::test]
async fn what_replay_writes_is_good_as_it_is_and_its_last_line_is_held_against_the_rest() {
    let mut export = export().await;
    let events = export.lines.len();
    let mut replay = std::process::Command::new(harness::sekisho());
    replay.env_clear().arg("replay").env("DATABASE_URL", &export.database).stdin(std::process::Stdio::null());
    let output = replay.output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = String::from_utf8(output.stdout).unwrap();
    export.lines = written.lines().map(str::to_owned).collect();
    assert_eq!(export.lines.len(), events + 1, "each event, and the end");
    assert!(
        export.verified(0).contains(&format!("{events} events, positions 1 to {events} as they were signed"))
    );

    let end = export.lines.pop().unwrap();
    let (fewer, more) = (format!("\"events\":{}", events - 1), format!("\"events\":{events}"));
    for last in
        [vec![end.replace(&more, &fewer)], vec![end.clone(), end.clone()], vec![end.replace(':', ": ")]]
    {
        let count = last.len();
        export.lines.extend(last);
        export.wrong(u64::try_from(events).unwrap() + 1);
        export.lines.truncate(export.lines.len() - count);
    }
}
