//! Where the set-up scripts of `./test` put the tools that we did not write.

use std::path::PathBuf;

/// One setting of a file that a set-up script wrote into the cache folder.
pub(crate) fn installed(file: &str, name: &str) -> PathBuf {
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = from("XDG_CACHE_HOME").or_else(|| from("HOME").map(|home| home.join(".cache")));
    let folders = from("SEKISHO_CACHE").into_iter().chain([PathBuf::from("/var/cache/sekisho")]);
    let folders = folders.chain(home.map(|home| home.join("sekisho")));
    let found = folders.map(|folder| folder.join(file)).find(|file| file.is_file());
    let found = found.unwrap_or_else(|| panic!("no {file} in the cache folder: run ./test"));
    let text = std::fs::read_to_string(&found).expect("it is readable");
    let mut settings = text.lines().filter_map(|line| line.split_once('='));
    let (_, value) = settings.find(|(key, _)| *key == name).expect("it is whole: run its setup.sh again");
    PathBuf::from(value)
}
