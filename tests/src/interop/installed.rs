//! Where `tests/interop/setup.sh` put the packages.

use std::path::{Path, PathBuf};

use crate::installed::installed;

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
        let path = |name: &str| installed("interop.env", name);
        Self {
            python: path("PYTHON"),
            node: path("NODE"),
            node_modules: path("NODE_MODULES"),
            everything: path("EVERYTHING"),
        }
    }
}

/// A file of `tests/interop`.
pub(super) fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(path)
}
