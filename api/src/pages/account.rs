//! What a person has allowed, and where they are signed in: each with a way to end it.

use maud::{Markup, html};
use time::OffsetDateTime;
use time::macros::format_description;
use uuid::Uuid;

use super::words::{self, Words, named, say};
use super::{Language, Page};

/// A standing authorization.
#[derive(Debug)]
pub(crate) struct GrantShown {
    /// Its id.
    pub(crate) id: Uuid,
    /// The application.
    pub(crate) client: String,
    /// The tools.
    pub(crate) instance: String,
    /// Whose these are.
    pub(crate) organization: String,
    /// What it may do.
    pub(crate) scopes: domain::value::Scopes,
    /// Since when.
    pub(crate) since: OffsetDateTime,
}

/// A session.
#[derive(Debug)]
pub(crate) struct SessionShown {
    /// Its name.
    pub(crate) id: Uuid,
    /// What the browser calls itself.
    pub(crate) agent: String,
    /// When it began.
    pub(crate) created_at: OffsetDateTime,
    /// When it was used last.
    pub(crate) seen_at: OffsetDateTime,
    /// Whether it is the one that asks.
    pub(crate) is_this: bool,
}

/// What was just done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// A grant was taken back.
    Revoked,
    /// Sessions were ended.
    Ended,
    /// An identity leads here, too.
    Linked,
    /// An identity leads to somebody else already.
    NotLinked,
    /// An identity leads here no longer.
    Unlinked,
    /// The last way in stays.
    LastWayIn,
}

/// A provider, as far as somebody signs in with it.
#[derive(Debug)]
pub(crate) enum IdentityShown {
    /// They do.
    Linked {
        /// What it is called.
        name: String,
        /// Whom it speaks for.
        issuer: String,
    },
    /// They could.
    Offered {
        /// What it is called.
        name: String,
        /// Its short name.
        provider: String,
    },
}

impl Done {
    /// As an address says it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Ended => "ended",
            Self::Linked => "linked",
            Self::NotLinked => "not-linked",
            Self::Unlinked => "unlinked",
            Self::LastWayIn => "last-way-in",
        }
    }

    /// Read from an address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all =
            [Self::Revoked, Self::Ended, Self::Linked, Self::NotLinked, Self::Unlinked, Self::LastWayIn];
        all.into_iter().find(|done| done.as_str() == text)
    }
}

/// What the page shows.
#[derive(Debug)]
pub(crate) struct Account<'a> {
    /// Ties the forms to this session.
    pub(crate) csrf: &'a str,
    /// Who it is.
    pub(crate) person: &'a str,
    /// What they allowed.
    pub(crate) grants: &'a [GrantShown],
    /// Where they are signed in.
    pub(crate) sessions: &'a [SessionShown],
    /// With what they sign in, and could.
    pub(crate) identities: &'a [IdentityShown],
    /// Whether this session goes on by what its provider said before.
    pub(crate) degraded: bool,
    /// What was just done.
    pub(crate) done: Option<Done>,
}

impl Account<'_> {
    pub(crate) fn page(&self, language: Language) -> Page {
        let words = Words::of(language);
        let done = self.done.map(|done| match done {
            Done::Revoked => words.revoked,
            Done::Ended => words.ended,
            Done::Linked => words.linked,
            Done::NotLinked => words.not_linked,
            Done::Unlinked => words.unlinked,
            Done::LastWayIn => words.last_way_in,
        });
        let content = html! {
            h1 { (words.account) }
            p.soft { (words.signed_in_as) " " (named(self.person)) " · " a href="/account/password" { (words.change_password) } " · " a href="/sign-out" { (words.sign_out) } }
            @if let Some(done) = done { div.notice role="status" { p { (done) } } }
            @if self.degraded { div.notice role="status" { p { (words.degraded) } } }
            section aria-labelledby="allowed" {
                h2 #allowed { (words.allowed) }
                @if self.grants.is_empty() { p.soft { (words.allowed_none) } }
                ul.things { @for grant in self.grants { (self.grant(language, grant)) } }
            }
            @if !self.identities.is_empty() {
                section aria-labelledby="identities" {
                    h2 #identities { (words.identities) }
                    ul.things { @for identity in self.identities { (self.identity(words, identity)) } }
                }
            }
            section aria-labelledby="sessions" {
                h2 #sessions { (words.sessions) }
                ul.things { @for session in self.sessions { (self.session(words, session)) } }
                @if self.sessions.len() > 1 {
                    form method="post" action="/account/sessions/end" {
                        input type="hidden" name="csrf" value=(self.csrf);
                        input type="hidden" name="session" value="others";
                        button.danger.small type="submit" { (words.end_others) }
                    }
                }
            }
        };
        Page::new(language, words.account, content).wide().here("/account/grants")
    }

    fn grant(&self, language: Language, grant: &GrantShown) -> Markup {
        let words = Words::of(language);
        let since = say(words.since, &[&moment(grant.since)]);
        html! {
            li {
                div.what {
                    strong { (named(&grant.client)) } " → " (named(&grant.instance)) " · " (named(&grant.organization))
                    div.soft.small {
                        @for scope in grant.scopes.iter() { div { (words::scope(language, scope)) " " code { (scope) } } }
                        (since)
                    }
                }
                form method="post" action="/account/grants/revoke" {
                    input type="hidden" name="csrf" value=(self.csrf);
                    input type="hidden" name="grant" value=(grant.id);
                    button.danger.small type="submit" aria-label=(say(words.revoke_label, &[&grant.client])) { (words.revoke) }
                }
            }
        }
    }

    fn identity(&self, words: &Words, identity: &IdentityShown) -> Markup {
        let (name, action, label, field, value, is_linked) = match identity {
            IdentityShown::Linked { name, issuer } => {
                (name, "/account/identities/unlink", words.unlink, "issuer", issuer, true)
            }
            IdentityShown::Offered { name, provider } => {
                (name, "/account/identities/link", words.link, "provider", provider, false)
            }
        };
        html! {
            li {
                div.what { (named(name)) @if is_linked { span.badge { (words.is_linked) } } }
                form method="post" action=(action) {
                    input type="hidden" name="csrf" value=(self.csrf);
                    input type="hidden" name=(field) value=(value);
                    button.small.danger[is_linked].plain[!is_linked] type="submit" aria-label=(say(label, &[name])) { (say(label, &[name])) }
                }
            }
        }
    }

    fn session(&self, words: &Words, session: &SessionShown) -> Markup {
        let browser = browser(words, &session.agent);
        html! {
            li {
                div.what {
                    (browser) @if session.is_this { span.badge { (words.this_session) } }
                    div.soft.small { (say(words.since, &[&moment(session.created_at)])) " · " (say(words.seen, &[&moment(session.seen_at)])) }
                }
                form method="post" action="/account/sessions/end" {
                    input type="hidden" name="csrf" value=(self.csrf);
                    input type="hidden" name="session" value=(session.id);
                    button.danger.small type="submit" aria-label=(say(words.end_session_label, &[&browser])) { (words.end_session) }
                }
            }
        }
    }
}

/// A moment in UTC: whose clock a browser keeps, no page without a script knows.
fn moment(moment: OffsetDateTime) -> String {
    moment.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).unwrap_or_default()
}

/// A browser in words, as far as what it calls itself tells.
fn browser(words: &Words, agent: &str) -> String {
    let known = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    let name = known(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = known(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (name, system) {
        (Some(name), Some(system)) => say(words.on, &[name, system]),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => words.unknown_browser.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_as_people_know_it_and_never_by_its_own_words() {
        let words = Words::of(Language::English);
        let linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
        assert_eq!(browser(words, linux), "Chrome on Linux");
        assert_eq!(browser(words, "<script>"), words.unknown_browser);
    }
}
