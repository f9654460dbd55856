//! The page that keeps a browser here which a client of strangers would have led on: its request has a mistake, and nobody vouches for where the
//! answer would go (RFC 9700, 4.11.2; RFC 6749, 10.15). It tells what is wrong and where that would lead; the person goes there or does not.

use maud::html;

use super::consent::Destination;
use super::words::{Words, named};
use super::{Language, Page};

/// What the page shows.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    /// The error, as the client would have been told it.
    pub(crate) code: &'static str,
    /// What it means, for whoever writes the client.
    pub(crate) description: &'static str,
    /// The application's name, as it calls itself.
    pub(crate) client: &'a str,
    /// Where the answer would lead.
    pub(crate) destination: &'a Destination,
    /// The whole answer.
    pub(crate) way_back: &'a str,
}

impl Held<'_> {
    pub(crate) fn page(&self, language: Language) -> Page {
        let words = Words::of(language);
        let content = html! {
            h1 { (words.held) }
            p { (words.held_text) }
            dl.facts {
                dt { (words.client) } dd { (named(self.client)) }
                dt { (words.held_error) } dd { code { (self.code) } " " span lang="en" { (self.description) } }
                dt { (words.held_leads_to) } dd { code { (self.destination.place()) } }
            }
            p.small { a href=(self.way_back) rel="noreferrer" { (words.held_go_on) } }
        };
        Page::new(language, words.held, content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_it_would_lead_and_leads_nowhere_by_itself() {
        let destination = Destination::Site("evil.example".to_owned());
        let held = Held {
            code: "invalid_scope",
            description: "none of these",
            client: "<b>Desk</b>",
            destination: &destination,
            way_back: "https://evil.example/?a=\"b&state=c",
        };
        let page = held.page(Language::English);
        assert!(page.leads_on.is_none() && page.forms_lead_to.is_none());
        let text = page.content.into_string();
        assert!(text.contains("href=\"https://evil.example/?a=&quot;b&amp;state=c\""), "{text}");
        assert!(text.contains("evil.example</code>") && !text.contains("<b>"), "{text}");
    }
}
