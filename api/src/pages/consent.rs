//! The page on which a person lets an application act for them, or does not (RFC 9700, 4.14; MCP 2026-07-28, authorization: consent).

use domain::value::Scope;
use maud::{Markup, html};

use super::words::{self, Words, named, say};
use super::{FormTarget, Language, Page};

/// Where a browser goes after the page: what a person can judge of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A web site, by its host.
    Site(String),
    /// A program on the very computer of the browser.
    Loopback(String),
    /// An app that claims a scheme of its own.
    App(String),
}

impl Destination {
    /// As a person reads it.
    pub(super) fn place(&self) -> &str {
        match self {
            Self::Site(place) | Self::Loopback(place) | Self::App(place) => place,
        }
    }
}

/// What the page shows.
#[derive(Debug)]
pub(crate) struct Consent<'a> {
    /// Ties the form to this session.
    pub(crate) csrf: &'a str,
    /// The whole request, sealed.
    pub(crate) request: &'a str,
    /// The application's name, as it calls itself.
    pub(crate) client: &'a str,
    /// The host that describes it, where that is how it is known.
    pub(crate) described_at: Option<&'a str>,
    /// Whether nobody stands for the name.
    pub(crate) self_registered: bool,
    /// Where it leads.
    pub(crate) destination: &'a Destination,
    /// The tools that it wants.
    pub(crate) instance: &'a str,
    /// Whose these are.
    pub(crate) organization: &'a str,
    /// Who is asked.
    pub(crate) person: &'a str,
    /// What it may do, one box each.
    pub(crate) scopes: &'a [Scope],
    /// The page on which somebody else signs in.
    pub(crate) other_person: String,
    /// Where the form may lead.
    pub(crate) leads_to: Option<FormTarget>,
    /// The page in other languages, where it can be asked for.
    pub(crate) here: Option<String>,
    /// Whether nothing was chosen the last time.
    pub(crate) nothing_chosen: bool,
}

impl Consent<'_> {
    pub(crate) fn page(&self, language: Language) -> Page {
        let words = Words::of(language);
        let title = say(words.allow_title, &[self.client]);
        let content = html! {
            h1 { (title) }
            p.soft.small { (words.signed_in_as) " " (named(self.person)) " · " a href=(self.other_person) { (words.other_person) } }
            (self.facts(words))
            (self.warnings(words))
            @if self.nothing_chosen { div.alert role="alert" { p { (words.choose_one) } } }
            form method="post" action="/oauth/authorize" {
                input type="hidden" name="csrf" value=(self.csrf);
                input type="hidden" name="request" value=(self.request);
                fieldset {
                    legend { (words.it_may) }
                    @for scope in self.scopes { (self::scope(language, scope)) }
                }
                p.soft.small { (words.revocable) }
                div.actions {
                    button type="submit" name="decision" value="allow" { (words.allow) }
                    button.plain type="submit" name="decision" value="deny" { (words.deny) }
                }
            }
        };
        let page = Page::new(language, title, content).leading_to(self.leads_to.clone());
        Page { here: self.here.clone(), ..page }
    }

    fn facts(&self, words: &Words) -> Markup {
        html! {
            dl.facts {
                dt { (words.client) } dd { (named(self.client)) }
                @if let Some(host) = self.described_at { dt { (words.described_at) } dd { code { (host) } } }
                dt { (words.leads_to) } dd { code { (self.destination.place()) } }
                dt { (words.instance) } dd { (named(self.instance)) }
                dt { (words.organization) } dd { (named(self.organization)) }
            }
        }
    }

    fn warnings(&self, words: &Words) -> Markup {
        let place = match self.destination {
            Destination::Site(_) => None,
            Destination::Loopback(_) => Some(words.loopback),
            Destination::App(_) => Some(words.private_scheme),
        };
        html! {
            @for warning in self.self_registered.then_some(words.self_registered).into_iter().chain(place) {
                div.notice role="note" { p { (warning) } }
            }
        }
    }
}

/// The name of a scope's box: no two boxes share one.
pub(crate) fn box_name(scope: &Scope) -> String {
    format!("allow {scope}")
}

fn scope(language: Language, scope: &Scope) -> Markup {
    html! {
        label.scope {
            input type="checkbox" name=(box_name(scope)) value="on" checked;
            span { (words::scope(language, scope)) " " code.soft { (scope) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent(destination: &Destination, client: &str) -> String {
        let scopes = [Scope::McpRead, Scope::parse("tool:add").unwrap()];
        let consent = Consent {
            csrf: "c",
            request: "r",
            client,
            described_at: None,
            self_registered: false,
            destination,
            instance: "Tools",
            organization: "Acme",
            person: "Ann",
            scopes: &scopes,
            other_person: "/sign-out".to_owned(),
            leads_to: None,
            here: None,
            nothing_chosen: false,
        };
        consent.page(Language::English).content.into_string()
    }

    #[test]
    fn a_clients_name_is_text_and_never_markup() {
        let site = Destination::Site("app.example.com".to_owned());
        assert!(!consent(&site, "<img src=x>").contains("<img"));
        let turned = consent(&site, "Ban\u{202e}k\u{2069}");
        assert!(turned.contains("<dd><bdi>Bank</bdi></dd>") && !turned.contains('\u{202e}'), "{turned}");
    }

    #[test]
    fn whoever_is_sent_to_their_own_computer_is_warned() {
        let here = Destination::Loopback("127.0.0.1:3000".to_owned());
        assert!(consent(&here, "App").contains("on this very computer"));
        let site = Destination::Site("app.example.com".to_owned());
        assert!(!consent(&site, "App").contains("on this very computer"));
    }

    #[test]
    fn every_scope_has_a_box_and_words() {
        let text = consent(&Destination::Site("x".to_owned()), "App");
        assert_eq!(text.matches("type=\"checkbox\"").count(), 2);
        assert!(text.contains("Call the tool add") && text.contains("name=\"allow tool:add\""), "{text}");
    }
}
