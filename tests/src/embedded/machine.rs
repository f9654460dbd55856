//! The processes, accounts and packages of the machine under test.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A folder that the service user may pass through.
pub(super) fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

pub(super) fn is_root() -> bool {
    tempfile::tempdir().unwrap().path().metadata().unwrap().uid() == 0
}

pub(super) fn kill(pid: u32) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

/// A zombie has ended too.
pub(super) fn is_alive(pid: Option<u32>) -> bool {
    let Some(pid) = pid else { return false };
    let state = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// The shells that look after a server: its parent, and that one's other children.
pub(super) fn guardians_of(server: Option<u32>) -> Vec<u32> {
    let Some(server) = server else { return Vec::new() };
    let listing = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().unwrap();
    let text = String::from_utf8_lossy(&listing.stdout).into_owned();
    let pairs = text.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace().filter_map(|number| number.parse::<u32>().ok());
        Some((numbers.next()?, numbers.next()?))
    });
    let family: Vec<(u32, u32)> = pairs.collect();
    let parent = family.iter().find(|(pid, _)| *pid == server).unwrap().1;
    let siblings = family.iter().filter(|(pid, ppid)| *ppid == parent && *pid != server);
    siblings.map(|(pid, _)| *pid).chain([parent]).collect()
}

/// The Postgres of the wheel, in the cache that `./test` fills.
pub(super) fn wheel_postgres() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let caches = [
        variable("SEKISHO_CACHE"),
        variable("XDG_CACHE_HOME").map(|cache| cache.join("sekisho")),
        variable("HOME").map(|home| home.join(".cache/sekisho")),
        Some(PathBuf::from("/var/cache/sekisho")),
    ];
    let folders =
        caches.into_iter().flatten().filter_map(|cache| fs::read_dir(cache).ok()).flatten().flatten();
    let mut found = folders.filter(|entry| entry.file_name().to_string_lossy().starts_with("postgres-18."));
    found.next().map(|entry| entry.path().join("bin")).filter(|bin| bin.join("postgres").exists())
}

/// A Postgres of a system package, of another major than the wheel's.
pub(super) fn system_postgres() -> Option<PathBuf> {
    let majors = fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin"));
    majors.into_iter().find(|bin| bin.join("initdb").exists() && major_of(bin) != "18")
}

pub(super) fn major_of(bin: &Path) -> String {
    bin.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
