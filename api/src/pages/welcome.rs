//! The first page that a person sees who belonged to no organization.

use maud::html;

use super::words::Words;
use super::{Language, Page};

/// Their organization was made; they go on from here.
pub(crate) fn page(language: Language, slug: &str, next: &str, here: String) -> Page {
    let words = Words::of(language);
    let content = html! {
        h1 { (words.welcome) }
        p { (words.welcome_made) }
        dl.facts { dt { (words.welcome_address) } dd { code { (slug) } } }
        a.button href=(next) { (words.go_on) }
    };
    Page::new(language, words.welcome, content).here(here)
}
