//! The pages on which somebody authorizes a connection: what it is about, and what became of it.

use maud::html;

use super::words::{Words, say};
use super::{Language, Page};

/// What is to be authorized, before anybody is led anywhere (`mcp.md`, A6.11).
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    /// Ties the form to this browser.
    pub(crate) csrf: &'a str,
    /// Where the form is sent.
    pub(crate) action: &'a str,
    /// The connection's name.
    pub(crate) connection: &'a str,
    /// The organization that it is of.
    pub(crate) organization: &'a str,
    /// Where the server is.
    pub(crate) server: &'a str,
    /// Whether everybody in the organization calls with it.
    pub(crate) shared: bool,
    /// Why it was not authorized a moment ago, as the attempt said.
    pub(crate) trouble: Option<&'a str>,
}

impl Asking<'_> {
    pub(crate) fn page(&self, language: Language) -> Page {
        let words = Words::of(language);
        let who = if self.shared { words.connect_shared } else { words.connect_own };
        let content = html! {
            h1 { (say(words.connect_title, &[self.connection])) }
            @if let Some(trouble) = self.trouble {
                div.alert role="alert" { p { (words.connect_failed) } p.small lang="en" { (trouble) } }
            }
            dl.facts {
                dt { (words.connect_server) } dd { code { (self.server) } }
                dt { (words.organization) } dd { (self.organization) }
            }
            p { (who) }
            p.soft { (words.connect_leads) }
            form method="post" action=(self.action) {
                input type="hidden" name="csrf" value=(self.csrf);
                div.actions { button type="submit" { (words.go_on) } }
            }
        };
        Page::new(language, words.connect, content).here(self.action)
    }
}

/// It is authorized.
pub(crate) fn connected(language: Language, connection: &str) -> Page {
    let words = Words::of(language);
    let content = html! {
        h1 { (say(words.connected, &[connection])) }
        p { (words.connected_text) }
    };
    Page::new(language, words.connect, content)
}

/// It is not, as far as can be said.
pub(crate) fn not_connected(language: Language, trouble: &str, again: Option<&str>) -> Page {
    let words = Words::of(language);
    let content = html! {
        h1 { (words.connect_failed) }
        p lang="en" { (trouble) }
        @if let Some(again) = again { a.button href=(again) { (words.connect_again) } }
    };
    Page::new(language, words.connect, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_text_and_never_markup() {
        let evil = "\"><script>alert(1)</script>";
        let asking = Asking {
            csrf: "c",
            action: "/connections/x/authorize",
            connection: evil,
            organization: evil,
            server: evil,
            shared: true,
            trouble: Some(evil),
        };
        for language in Language::ALL {
            let pages =
                [asking.page(language), connected(language, evil), not_connected(language, evil, Some(evil))];
            for page in pages {
                let text = page.content.into_string();
                assert!(!text.contains("<script>"), "{text}");
            }
        }
    }
}
