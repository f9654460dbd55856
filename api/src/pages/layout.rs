//! What every page has: head, language, landmarks, and the headers that keep others from framing, storing or widening it.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use url::{Host, Url};

use super::Language;
use super::style::{STYLE, STYLE_SOURCE};
use super::words::Words;

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    /// The language that it is written in.
    pub(crate) language: Language,
    /// Its title.
    pub(crate) title: String,
    /// Whether it lists things, and takes more room for them.
    pub(crate) wide: bool,
    /// Its content.
    pub(crate) content: Markup,
    /// Where in other languages it is, when it can be asked for in them: a query without `ui_locales`.
    pub(crate) here: Option<String>,
    /// Where a browser may be led by its forms, beside our own pages.
    pub(crate) forms_lead_to: Option<FormTarget>,
    /// Where it leads on by itself.
    pub(crate) leads_on: Option<String>,
}

/// Where a form may lead: a source in the terms of a content security policy. A browser checks it for every redirect after the form, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormTarget(String);

impl FormTarget {
    /// The narrowest source that covers a redirect URI.
    pub(crate) fn of(redirect_uri: &str) -> Option<Self> {
        let url = Url::parse(redirect_uri).ok()?;
        match (url.scheme(), url.host()) {
            // A host source cannot be an IPv6 address (CSP 3, 2.3.1): nothing narrower than the scheme covers one.
            ("http", Some(Host::Ipv6(_))) => Some(Self("http:".to_owned())),
            ("http" | "https", Some(_)) => Some(Self(url.origin().ascii_serialization())),
            ("http" | "https", None) => None,
            (scheme, _) => Some(Self(format!("{scheme}:"))),
        }
    }
}

impl Page {
    /// A page of this title, as narrow as most are.
    pub(crate) fn new(language: Language, title: impl Into<String>, content: Markup) -> Self {
        Self {
            language,
            title: title.into(),
            wide: false,
            content,
            here: None,
            forms_lead_to: None,
            leads_on: None,
        }
    }

    /// With room for lists.
    #[must_use]
    pub(crate) fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// Also to be had in the other language, at this address.
    #[must_use]
    pub(crate) fn here(mut self, address: impl Into<String>) -> Self {
        self.here = Some(address.into());
        self
    }

    /// Its forms may lead there, too.
    #[must_use]
    pub(crate) fn leading_to(mut self, target: Option<FormTarget>) -> Self {
        self.forms_lead_to = target;
        self
    }

    /// Leads on there by itself, at once. No form's redirect: that one is held to where forms may lead, all the way.
    #[must_use]
    pub(crate) fn leading_on(mut self, address: String) -> Self {
        self.leads_on = Some(address);
        self
    }

    /// The page as an answer.
    pub(crate) fn answer(self, status: StatusCode) -> Response {
        let target = self.forms_lead_to.as_ref().map(|FormTarget(source)| format!(" {source}"));
        let policy = format!(
            "default-src 'none'; style-src {}; form-action 'self'{}; base-uri 'none'; frame-ancestors 'none'",
            *STYLE_SOURCE,
            target.unwrap_or_default()
        );
        let mut response = (status, Html(self.markup().into_string())).into_response();
        let headers = response.headers_mut();
        // What cannot be written into a header would widen nothing: without the target the form leads nowhere else.
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        guard(&mut response);
        let language = HeaderValue::from_static(self.language.tag());
        response.headers_mut().insert(header::CONTENT_LANGUAGE, language);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
        response
    }

    fn markup(&self) -> Markup {
        let words = Words::of(self.language);
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width,initial-scale=1";
                    @if let Some(address) = &self.leads_on { meta http-equiv="refresh" content=(format!("0;url={address}")); }
                    title { (self.title) " · Sekisho" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#main" { (words.skip) }
                    header { a.brand href="/account/grants" { "Sekisho" span lang="ja" { "関所" } } }
                    main #main.wide[self.wide] { (self.content) }
                    footer {
                        @if let Some(here) = &self.here {
                            @for other in Language::ALL.into_iter().filter(|other| *other != self.language) {
                                a lang=(other.tag()) hreflang=(other.tag()) href=(in_language(here, other)) { (other.own_name()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn in_language(here: &str, language: Language) -> String {
    let mark = if here.contains('?') { '&' } else { '?' };
    format!("{here}{mark}ui_locales={}", language.tag())
}

/// The headers of everything that a person's browser is answered (RFC 9700, 4.16 and 2.1; `oauth.md` 62).
pub(crate) fn guard(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_no_further_than_the_origin_of_the_redirect() {
        let source = |uri: &str| FormTarget::of(uri).map(|FormTarget(source)| source);
        assert_eq!(
            source("https://app.example.com/cb?x=;script-src *"),
            Some("https://app.example.com".to_owned())
        );
        assert_eq!(source("http://127.0.0.1:3000/callback"), Some("http://127.0.0.1:3000".to_owned()));
        assert_eq!(source("http://[::1]:3000/callback"), Some("http:".to_owned()));
        assert_eq!(source("com.example.app:/callback"), Some("com.example.app:".to_owned()));
        assert_eq!(source("not a uri"), None);
    }

    #[test]
    fn no_page_may_be_framed_stored_or_scripted() {
        let page = Page::new(Language::Japanese, "<b>", html! { "x" });
        assert!(page.markup().into_string().contains("&lt;b&gt;"));
        let answer = page.answer(StatusCode::OK);
        let header =
            |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("content-language"), "ja");
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(
            policy.contains("form-action 'self';") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}
