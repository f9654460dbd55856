//! What people read: results on standard output, complaints on standard error. The log is something else.

/// A line of result.
#[expect(clippy::print_stdout, reason = "the command line's own output")]
pub(super) fn say(line: &str) {
    println!("{line}");
}

/// A line of complaint.
#[expect(clippy::print_stderr, reason = "the command line's own output")]
pub(super) fn complain(line: &str) {
    eprintln!("sekisho: {line}");
}
