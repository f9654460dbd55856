//! What people read: results on standard output, complaints on standard error. The log is something else.
//!
//! Part of it was written by servers. A terminal obeys some characters in place of showing them, so those are written out, as JSON writes them: what is JSON
//! stays what it was.
//!
//! Whoever reads may leave early, as `head` does: what they leave unread is left out, and the command goes on to the exit code that it has anyway. A
//! result that cannot be written for any other reason, such as a full disk, makes that exit code 1.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// A result could not be written, and that was complained about.
static UNWRITTEN: AtomicBool = AtomicBool::new(false);

/// A line of result.
pub(super) fn say(line: &str) {
    match written(&mut io::stdout().lock(), line) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => {
            if !UNWRITTEN.swap(true, Ordering::Relaxed) {
                complain(&format!("the answer cannot be written: {error}"));
            }
        }
    }
}

/// A line of complaint. Who does not listen to complaints is told none.
pub(super) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "sekisho: {}", shown(line));
}

/// The exit code of a command that came to this one: no success when what it had to say is lost.
pub(super) fn as_said(code: ExitCode) -> ExitCode {
    let is_lost = code == ExitCode::SUCCESS && UNWRITTEN.load(Ordering::Relaxed);
    if is_lost { ExitCode::FAILURE } else { code }
}

fn written(out: &mut impl io::Write, line: &str) -> io::Result<()> {
    writeln!(out, "{}", shown(line))?;
    out.flush()
}

/// Whether a terminal does something else with it than show it: C0 and C1 of ECMA-48, and DEL, but for what makes lines and columns.
fn is_obeyed(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\t')
}

fn shown(line: &str) -> Cow<'_, str> {
    if !line.contains(is_obeyed) {
        return Cow::Borrowed(line);
    }
    let mut shown = String::with_capacity(line.len());
    for letter in line.chars() {
        if is_obeyed(letter) {
            let _ = write!(shown, "\\u{:04x}", u32::from(letter)); // a text takes whatever is written
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_02_what_a_terminal_would_obey_is_written_out() {
        for (line, read) in [
            ("\u{1b}]0;title\u{7}", "\\u001b]0;title\\u0007"),
            ("\u{1b}[2J\u{1b}[1;1Hdone", "\\u001b[2J\\u001b[1;1Hdone"),
            ("good\rbad", "good\\u000dbad"),
            ("\u{9b}31m", "\\u009b31m"),
            ("a\u{8}\u{7f}\0", "a\\u0008\\u007f\\u0000"),
        ] {
            assert_eq!(shown(line), read);
        }
    }

    #[test]
    fn lines_columns_and_whatever_people_write_stay() {
        for line in ["", "one\ntwo\tthree", "\u{95a2}\u{6240} \u{1f980} \u{a0}\u{e9}"] {
            assert_eq!(shown(line), line);
        }
    }

    #[test]
    fn json_is_the_same_json() {
        let value = serde_json::json!({ "text": "\u{1b}[0m \u{9b}0m \u{7f} \n" });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown(&value.to_string())).unwrap(), value);
    }
}
