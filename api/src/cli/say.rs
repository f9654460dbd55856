//! What people read: results on standard output, complaints on standard error. The log is something else.
//!
//! Part of it was written by servers. A terminal obeys some characters in place of showing them, so those are written out, as JSON writes them: what is JSON
//! stays what it was.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A line of result.
#[expect(clippy::print_stdout, reason = "the command line's own output")]
pub(super) fn say(line: &str) {
    println!("{}", shown(line));
}

/// A line of complaint.
#[expect(clippy::print_stderr, reason = "the command line's own output")]
pub(super) fn complain(line: &str) {
    eprintln!("sekisho: {}", shown(line));
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
