//! The page on which somebody changes their own password.

use maud::html;

use super::words::Words;
use super::{Language, Page};

/// What came of it the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is changed.
    Changed,
    /// The one in force is another.
    Wrong,
    /// The new one is none.
    Bad,
    /// Too many attempts.
    TooOften,
    /// Too many people at once.
    Busy,
}

/// The page.
pub(crate) fn page(language: Language, csrf: &str, person: &str, outcome: Option<Outcome>) -> Page {
    let words = Words::of(language);
    let said = outcome.map(|outcome| match outcome {
        Outcome::Changed => (words.password_changed, false),
        Outcome::Wrong => (words.password_wrong, true),
        Outcome::Bad => (words.password_bad, true),
        Outcome::TooOften => (words.sign_in_slower, true),
        Outcome::Busy => (words.sign_in_busy, true),
    });
    let content = html! {
        h1 { (words.change_password) }
        @match said {
            Some((text, true)) => { div.alert role="alert" { p { (text) } } }
            Some((text, false)) => { div.notice role="status" { p { (text) } } }
            None => {}
        }
        form method="post" action="/account/password" {
            input type="hidden" name="csrf" value=(csrf);
            // Password managers ask whose it is.
            input type="hidden" name="username" autocomplete="username" value=(person);
            label.field for="current" { (words.password_now) }
            input #current type="password" name="current" autocomplete="current-password" required;
            label.field for="new" { (words.password_new) }
            input #new type="password" name="new" autocomplete="new-password" required aria-describedby="rule";
            p.soft.small #rule { (words.password_rule) }
            div.actions { button type="submit" { (words.save) } }
        }
        p.small { a href="/account/grants" { (words.fault_home) } }
    };
    Page::new(language, words.change_password, content).here("/account/password")
}
