//! Whoever reads what the program writes may leave early; a result that is lost in any other way is no success.

use std::fs::OpenOptions;
use std::process::{Output, Stdio};

use harness::folder;

use super::{command, text};

/// Runs it with a reader that has left before it writes.
fn unread(arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    command(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

#[test]
fn what_cannot_be_written_is_told_and_is_no_success() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has one");
    let lost = command(&["keys", "generate-master"]).stdout(full).output().unwrap();
    assert_eq!(lost.status.code(), Some(1));
    let told = text(&lost.stderr);
    assert!(told.contains("the answer cannot be written: "), "{told}");
    assert!(!told.contains("panicked"), "{told}");
}

#[test]
fn a_reader_that_leaves_ends_a_command_quietly_with_the_code_that_it_has_anyway() {
    let data = folder("unread");
    let made = command(&["migrate", "--data"]).arg(&data).output().unwrap();
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let data = data.to_str().unwrap();
    for arguments in
        [&["keys", "generate-master"][..], &["projections", "--data", data], &["replay", "--data", data]]
    {
        let left = unread(arguments);
        let told = text(&left.stderr);
        assert_eq!(left.status.code(), Some(0), "{arguments:?}: {told}");
        assert!(!told.contains("panicked") && !told.contains("sekisho: "), "{arguments:?}: {told}");
    }
}

#[test]
fn complaints_that_nobody_listens_to_do_not_end_it_otherwise() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let refused = command(&["serve", "--listen", "nowhere"]).stderr(writer).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}
