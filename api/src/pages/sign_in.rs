//! The page on which somebody signs in.

use maud::{Markup, html};

use super::words::{Words, say};
use super::{FormTarget, Language, Page};

/// What went wrong the last time. It never tells whether there is such an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Address and password do not match, for whatever reason.
    NoMatch,
    /// Too many attempts.
    TooOften,
    /// Too many people at once.
    Busy,
    /// The provider does not answer.
    ProviderDown,
    /// The provider vouches for nobody.
    ProviderRefused,
    /// Whom it vouches for is not let in.
    NotAllowed,
    /// It vouches for somebody else than the session is of.
    OtherPerson,
    /// Nothing: what follows wants to know once more who it is.
    Again,
}

/// A provider that somebody may choose.
#[derive(Debug)]
pub(crate) struct ProviderButton {
    /// Its short name.
    pub(crate) id: String,
    /// What it is called.
    pub(crate) name: String,
}

/// What the page shows.
#[derive(Debug)]
pub(crate) struct SignIn<'a> {
    /// Ties the form to this browser.
    pub(crate) csrf: &'a str,
    /// Where it goes on, one of our own addresses.
    pub(crate) next: &'a str,
    /// What was asked for as `ui_locales`.
    pub(crate) ui_locales: Option<&'a str>,
    /// The application that somebody signs in for, where one is known.
    pub(crate) client: Option<&'a str>,
    /// Where the redirects after the form may end.
    pub(crate) leads_to: Option<FormTarget>,
    /// The page itself, to be had in another language.
    pub(crate) here: String,
    /// What went wrong.
    pub(crate) trouble: Option<Trouble>,
    /// Where else somebody may sign in.
    pub(crate) providers: &'a [ProviderButton],
}

impl SignIn<'_> {
    pub(crate) fn page(&self, language: Language) -> Page {
        let words = Words::of(language);
        let trouble = self.trouble.map(|trouble| match trouble {
            Trouble::NoMatch => words.sign_in_failed,
            Trouble::TooOften => words.sign_in_slower,
            Trouble::Busy => words.sign_in_busy,
            Trouble::ProviderDown => words.provider_down,
            Trouble::ProviderRefused => words.provider_refused,
            Trouble::NotAllowed => words.not_allowed,
            Trouble::OtherPerson => words.other_person_there,
            Trouble::Again => words.sign_in_again,
        });
        let marked = self.trouble == Some(Trouble::NoMatch);
        let content = html! {
            h1 { (words.sign_in) }
            @if let Some(client) = self.client { p.soft { (say(words.sign_in_for, &[client])) } }
            @if let Some(trouble) = trouble { div.alert #trouble role="alert" { p { (trouble) } } }
            form method="post" action="/sign-in" {
                input type="hidden" name="csrf" value=(self.csrf);
                input type="hidden" name="next" value=(self.next);
                @if let Some(ui_locales) = self.ui_locales { input type="hidden" name="ui_locales" value=(ui_locales); }
                label.field for="email" { (words.email) }
                input #email type="email" name="email" autocomplete="username" autocapitalize="none" spellcheck="false" required
                    autofocus[trouble.is_none()] aria-invalid=[marked.then_some("true")] aria-describedby=[marked.then_some("trouble")];
                label.field for="password" { (words.password) }
                input #password type="password" name="password" autocomplete="current-password" required
                    aria-invalid=[marked.then_some("true")] aria-describedby=[marked.then_some("trouble")];
                div.actions { button type="submit" { (words.sign_in) } }
            }
            @if !self.providers.is_empty() { (self.elsewhere(words)) }
        };
        Page::new(language, words.sign_in, content).here(self.here.clone()).leading_to(self.leads_to.clone())
    }
}

impl SignIn<'_> {
    /// The providers. Each is a form of its own: only a choice leads there, and a link chooses nothing.
    fn elsewhere(&self, words: &Words) -> Markup {
        html! {
            section.elsewhere aria-label=(words.sign_in_elsewhere) {
                p.soft.small { (words.sign_in_elsewhere) }
                @for provider in self.providers {
                    form method="post" action=(format!("/sign-in/provider/{}", provider.id)) {
                        input type="hidden" name="csrf" value=(self.csrf);
                        input type="hidden" name="next" value=(self.next);
                        @if let Some(ui_locales) = self.ui_locales { input type="hidden" name="ui_locales" value=(ui_locales); }
                        @if self.trouble == Some(Trouble::Again) { input type="hidden" name="again" value="1"; }
                        button.plain type="submit" { (say(words.sign_in_with, &[&provider.name])) }
                    }
                }
            }
        }
    }
}

/// Leads on to a provider, by itself and by hand.
pub(crate) fn led_to(language: Language, name: &str, address: String) -> Page {
    let words = Words::of(language);
    let content = html! {
        h1 { (say(words.led_to, &[name])) }
        a.button href=(address) { (words.go_on) }
    };
    Page::new(language, words.sign_in, content).leading_on(address)
}

/// Asks whether somebody wants to leave. With `next`, somebody else goes on there.
pub(crate) fn leaving(language: Language, csrf: &str, next: Option<&str>) -> Page {
    let words = Words::of(language);
    let content = html! {
        h1 { (words.sign_out_ask) }
        form method="post" action="/sign-out" {
            input type="hidden" name="csrf" value=(csrf);
            @if let Some(next) = next { input type="hidden" name="next" value=(next); }
            div.actions { button type="submit" { (words.sign_out) } }
        }
    };
    Page::new(language, words.sign_out, content).here("/sign-out")
}

/// Somebody left.
pub(crate) fn left(language: Language) -> Page {
    let words = Words::of(language);
    let content = html! {
        h1 { (words.signed_out) }
        a.button href="/sign-in" { (words.sign_in) }
    };
    Page::new(language, words.signed_out, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_text_and_never_markup() {
        let evil = "\"><script>alert(1)</script>";
        let sign_in = SignIn {
            csrf: "c",
            next: evil,
            ui_locales: Some(evil),
            client: Some(evil),
            leads_to: None,
            here: format!("/sign-in?next={evil}"),
            trouble: Some(Trouble::NoMatch),
            providers: &[ProviderButton { id: "acme".to_owned(), name: evil.to_owned() }],
        };
        for language in Language::ALL {
            let text = sign_in.page(language).content.into_string();
            assert!(!text.contains("<script>"), "{text}");
            assert!(text.contains("aria-describedby=\"trouble\""), "{text}");
        }
    }
}
