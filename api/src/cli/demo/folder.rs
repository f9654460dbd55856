//! Where the demonstration keeps its things: never where a real deployment does.
//!
//! The folder that `SEKISHO_DATA` names, like the usual one, is that of `sekisho serve`, and the demonstration has a folder in it. One that `--data` names is taken
//! as it is, when nothing is in it yet or a demonstration made what is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::adapters::embedded::{Embedded, EmbeddedConfig, Survey};
use crate::config::default_data;

const NAME: &str = "demo";
/// Says that a demonstration made what is here.
const MARK: &str = "demonstration";
const MARK_TEXT: &str = "What is here was made by `sekisho demo`.\n";

/// A folder, and who chose it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Folder {
    /// The demonstration's own one.
    Own(PathBuf),
    /// The one that was named.
    Named(PathBuf),
}

impl Folder {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Own(path) | Self::Named(path) => path,
        }
    }
}

/// The folder, as far as something was said.
pub(super) fn of(said: Option<PathBuf>) -> Folder {
    chosen(said, std::env::var_os("SEKISHO_DATA").as_deref())
}

fn chosen(said: Option<PathBuf>, environment: Option<&OsStr>) -> Folder {
    match said {
        None => Folder::Own(default_data().join(NAME)),
        Some(said) if environment.is_some_and(|set| set == said.as_os_str()) => Folder::Own(said.join(NAME)),
        Some(said) => Folder::Named(said),
    }
}

/// Refuses a folder that holds something else. What else may be wrong with it, the start tells.
pub(super) async fn must_be_of_a_demonstration(folder: &Folder) -> Result<(), String> {
    let Folder::Named(data) = folder else { return Ok(()) };
    let settings = EmbeddedConfig { data: data.clone(), nats: None, search: Vec::new() };
    let holds_something = match Embedded::survey(&settings).await {
        Ok(Survey::Stopped | Survey::Running { .. }) => true,
        Ok(Survey::Empty(_)) | Err(_) => false,
    };
    if !holds_something || data.join(MARK).exists() {
        return Ok(());
    }
    Err(format!(
        "{} holds a deployment that no demonstration made: give another --data; if it is a demonstration of an older version, make the empty file {} in it",
        data.display(),
        data.join(MARK).display()
    ))
}

/// Says that a demonstration made what is here. Without it the next one is refused, and says what to do.
pub(super) fn mark(data: &Path) {
    if let Err(error) = std::fs::write(data.join(MARK), MARK_TEXT) {
        tracing::warn!(error = %error, folder = %data.display(), "the demonstration cannot be told from a deployment by its folder");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_the_environment_is_that_of_a_deployment_and_the_demonstration_has_one_in_it() {
        let said = |text: &str| Some(PathBuf::from(text));
        assert_eq!(chosen(said("/a"), Some(OsStr::new("/a"))), Folder::Own("/a/demo".into()));
        assert_eq!(chosen(said("/b"), Some(OsStr::new("/a"))), Folder::Named("/b".into()));
        assert_eq!(chosen(said("/b"), None), Folder::Named("/b".into()));
        assert_eq!(chosen(None, None), Folder::Own(default_data().join("demo")));
    }
}
