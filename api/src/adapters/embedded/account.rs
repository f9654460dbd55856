//! As whom the children run. Postgres refuses uid 0, so a root start drops to a service user for everything it starts.
//!
//! The environment of the children is cleared: `PG*` variables of the caller would redirect initdb and the server, and
//! Sekisho's own secrets have no business in another process.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::error::EmbeddedError;

/// Variables that children keep: what they need to find their shared libraries and a temporary folder.
const KEPT_VARIABLES: [&str; 5] =
    ["PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];

/// Prints the first of its arguments that cannot be entered.
const FIRST_BLOCKED: &str =
    r#"for folder in "$@"; do cd "$folder" 2>/dev/null || { printf %s "$folder"; exit 1; }; done"#;

/// Whose processes the children are.
#[derive(Clone, Debug)]
pub(super) enum Account {
    /// The user who started us.
    Ourselves,
    /// We are root: this user instead.
    Service {
        /// The account's name.
        name: String,
        /// Its user id.
        uid: u32,
        /// Its group id.
        gid: u32,
    },
}

impl Account {
    /// Ourselves, or the service user when we are root.
    pub(super) async fn choose(wanted: Option<&OsStr>) -> Result<Self, EmbeddedError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        if let Some(wanted) = wanted {
            return Self::named(&wanted.to_string_lossy()).await;
        }
        match Self::named("postgres").await {
            Ok(account) => Ok(account),
            Err(_) => Self::named("nobody").await,
        }
    }

    async fn named(name: &str) -> Result<Self, EmbeddedError> {
        let refused =
            |reason: &str| EmbeddedError::ServiceUser { name: name.to_owned(), reason: reason.to_owned() };
        let uid = id("-u", name).await.ok_or_else(|| refused("there is no such user"))?;
        let gid = id("-g", name).await.ok_or_else(|| refused("it has no group"))?;
        if uid == 0 {
            return Err(refused("it is root itself"));
        }
        let account = Self::Service { name: name.to_owned(), uid, gid };
        match account.command("/bin/sh").args(["-c", ":"]).status().await {
            Ok(status) if status.success() => Ok(account),
            Ok(status) => Err(refused(&format!("a shell run as it ended with {status}"))),
            Err(error) => Err(refused(&format!("switching to it failed ({error})"))),
        }
    }

    /// A command that runs as this account, outside our process group and with a clean environment.
    ///
    /// The own process group keeps a terminal's Ctrl-C from stopping the store before we have drained.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").current_dir("/").process_group(0);
        command.stdin(Stdio::null());
        for name in KEPT_VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Self::Service { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid); // std also drops root's supplementary groups
        }
        command
    }

    /// The user id that the children have.
    pub(super) fn uid(&self) -> u32 {
        match self {
            Self::Ourselves => rustix::process::geteuid().as_raw(),
            Self::Service { uid, .. } => *uid,
        }
    }

    /// Makes the account the owner of a path that we created.
    pub(super) fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        match self {
            Self::Ourselves => Ok(()),
            Self::Service { uid, gid, .. } => {
                chown(path, Some(*uid), Some(*gid)).map_err(EmbeddedError::io("change the owner of", path))
            }
        }
    }

    /// Refuses a folder of somebody else, which Postgres would refuse with less to go by.
    pub(super) fn must_own(&self, folder: &Path) -> Result<(), EmbeddedError> {
        let owner = folder.symlink_metadata().map_err(EmbeddedError::io("read", folder))?.uid();
        let wanted = self.uid();
        if owner == wanted {
            Ok(())
        } else {
            Err(EmbeddedError::OtherOwner { folder: folder.to_owned(), owner, wanted })
        }
    }

    /// Refuses a folder that the service user cannot get to, and names the folder in the way.
    ///
    /// It is tried rather than computed from mode bits: ACLs and mandatory access control have a say too.
    pub(super) async fn must_reach(&self, folder: &Path) -> Result<(), EmbeddedError> {
        let Self::Service { name, .. } = self else { return Ok(()) };
        let mut way: Vec<&Path> = folder.ancestors().collect();
        way.reverse();
        let tried = self.command("/bin/sh").args(["-c", FIRST_BLOCKED, "sh"]).args(way).output().await;
        let tried = tried.map_err(EmbeddedError::io("run", Path::new("/bin/sh")))?;
        if tried.status.success() {
            return Ok(());
        }
        let blocked = PathBuf::from(String::from_utf8_lossy(&tried.stdout).into_owned());
        Err(EmbeddedError::Unreachable { user: name.clone(), blocked, folder: folder.to_owned() })
    }

    /// `as user postgres`, for the banner.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Ourselves => "as the current user".to_owned(),
            Self::Service { name, .. } => format!("as user {name}"),
        }
    }
}

/// Asks `id`, which also knows accounts that are not in `/etc/passwd`.
async fn id(option: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([option, "--", name]).output().await.ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
