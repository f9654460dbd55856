//! Where `tests/interop/setup.sh` put the packages.

use std::path::{Path, PathBuf};

/// The interpreters and packages of the cache folder, as `interop.env` names them.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) python: PathBuf,
    pub(super) node: PathBuf,
    pub(super) node_modules: PathBuf,
    pub(super) everything: PathBuf,
}

impl Installed {
    pub(super) fn read() -> Self {
        let file =
            cache_folders().into_iter().map(|folder| folder.join("interop.env")).find(|file| file.is_file());
        let file = file.expect("no interop.env in the cache folder: run ./test, or tests/interop/setup.sh");
        let text = std::fs::read_to_string(&file).expect("interop.env is readable");
        let path = |name: &str| {
            let mut settings = text.lines().filter_map(|line| line.split_once('='));
            let (_, value) =
                settings.find(|(key, _)| *key == name).expect("interop.env is whole: run setup.sh again");
            PathBuf::from(value)
        };
        Self {
            python: path("PYTHON"),
            node: path("NODE"),
            node_modules: path("NODE_MODULES"),
            everything: path("EVERYTHING"),
        }
    }
}

/// The folders that `setup.sh` chooses from, in its order.
fn cache_folders() -> Vec<PathBuf> {
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = from("XDG_CACHE_HOME").or_else(|| from("HOME").map(|home| home.join(".cache")));
    let chosen = from("SEKISHO_CACHE").into_iter();
    chosen.chain([PathBuf::from("/var/cache/sekisho")]).chain(home.map(|home| home.join("sekisho"))).collect()
}

/// A file of `tests/interop`.
pub(super) fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(path)
}
