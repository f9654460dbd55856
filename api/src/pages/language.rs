//! In which language a page is written: what was asked for by name, else what the browser prefers.

use http::{HeaderMap, header};

/// A language that every page is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// English, also for whoever reads neither.
    English,
    /// Japanese.
    Japanese,
}

/// Longer lists are not read to their end.
const PREFERENCES_MAX: usize = 32;

impl Language {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::Japanese];

    /// The tag (BCP 47).
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }

    /// What its readers call it.
    pub(crate) const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Japanese => "日本語",
        }
    }

    /// The language of an answer. `asked` is a list of tags as in `ui_locales` (OpenID Connect Core, 3.1.2.1).
    pub(crate) fn of(asked: Option<&str>, headers: &HeaderMap) -> Self {
        let mut by_name = asked.unwrap_or_default().split_ascii_whitespace().take(PREFERENCES_MAX);
        by_name.find_map(Self::tagged).or_else(|| preferred(headers)).unwrap_or(Self::English)
    }

    fn tagged(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }
}

/// The best of `Accept-Language` (RFC 9110, 12.5.4) that there is.
fn preferred(headers: &HeaderMap) -> Option<Language> {
    let list = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut best: Option<(Language, f32)> = None;
    for range in list.split(',').take(PREFERENCES_MAX) {
        let mut parts = range.split(';').map(str::trim);
        let Some(language) = parts.next().and_then(Language::tagged) else { continue };
        let weight =
            parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |text| text.parse().ok());
        let weight = weight.filter(|weight| *weight > 0.0);
        if let Some(weight) = weight
            && best.is_none_or(|(_, highest)| weight > highest)
        {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(asked: Option<&str>, accept: &str) -> Language {
        let headers =
            HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_str(accept).unwrap())]);
        Language::of(asked, &headers)
    }

    #[test]
    fn whoever_reads_neither_reads_english() {
        assert_eq!(of(None, "fr, de;q=0.5"), Language::English);
        assert_eq!(of(Some("xx"), ""), Language::English);
        assert_eq!(of(None, "ja;q=0, *"), Language::English);
        assert_eq!(of(None, ";;;q=,,,="), Language::English);
    }

    #[test]
    fn the_browsers_preference_counts_by_weight() {
        assert_eq!(of(None, "ja-JP,ja;q=0.9,en;q=0.8"), Language::Japanese);
        assert_eq!(of(None, "ja;q=0.2, en-GB;q=0.9"), Language::English);
    }

    #[test]
    fn what_is_asked_for_by_name_counts_before_the_browser() {
        assert_eq!(of(Some("fr JA en"), "en"), Language::Japanese);
        assert_eq!(of(Some("en"), "ja"), Language::English);
    }
}
