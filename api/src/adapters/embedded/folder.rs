//! The data folder: claimed by a marker before anything is put into it, and held by a lock while we run.
//!
//! ```text
//! DIR/lock                    held while a sekisho uses the folder
//! DIR/sekisho-cluster.json    the marker: we made this, and by which Postgres
//! DIR/postgres/               the cluster
//! DIR/nats/                   the JetStream store and the server's configuration
//! DIR/nats-reader.env         by what consumers on this machine read the events, 0600
//! DIR/socket/                 the Postgres socket, 0700 (or a short folder elsewhere, named in DIR/socket-folder)
//! DIR/logs/                   what the two programs say
//! ```

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::error::EmbeddedError;

/// The file that says a folder is ours.
const MARKER: &str = "sekisho-cluster.json";
const MARKER_NEW: &str = "sekisho-cluster.json.new";
const MARKER_FORMAT: u32 = 1;
const LOCK: &str = "lock";
const SOCKET_RECORD: &str = "socket-folder";
/// `sun_path` is 104 bytes on macOS and the BSDs (108 on Linux); `/.s.PGSQL.5432` and the final zero take 15.
const SOCKET_FOLDER_BYTES_MAX: usize = 89;

/// What the marker says.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    format: u32,
    made_by: String,
    postgres_major: u16,
}

/// A claimed and locked data folder.
#[derive(Debug)]
pub(super) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if it is not there, locks it, and refuses one that holds other people's things.
    pub(super) fn open(wanted: &Path, account: &Account) -> Result<Self, EmbeddedError> {
        let canonical = match DirBuilder::new().recursive(true).mode(0o755).create(wanted) {
            Ok(()) => wanted.canonicalize(),
            Err(error) => Err(error),
        };
        let path = canonical.map_err(EmbeddedError::io("make the data folder", wanted))?;
        plain_text(&path)?;
        refuse_foreign(&path)?;
        let lock = lock(&path)?;
        if !path.join(MARKER).exists() {
            // The service user has to pass through to its own subfolder; everything in here is closed by itself.
            let mode = if matches!(account, Account::Service { .. }) { 0o711 } else { 0o700 };
            fs::set_permissions(&path, Permissions::from_mode(mode))
                .map_err(EmbeddedError::io("close", &path))?;
        }
        Ok(Self { path, _lock: lock })
    }

    /// The canonical path of the whole folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the cluster is.
    pub(super) fn cluster(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// A log in the folder.
    pub(super) fn log(&self, name: &str) -> Result<PathBuf, EmbeddedError> {
        let logs = self.path.join("logs");
        make_closed(&logs).map_err(EmbeddedError::io("make", &logs))?;
        Ok(logs.join(name))
    }

    /// A 0700 folder of the account's own; one that is there already must be the account's.
    pub(super) fn subfolder(&self, name: &str, account: &Account) -> Result<PathBuf, EmbeddedError> {
        let folder = self.path.join(name);
        if folder.symlink_metadata().is_err() {
            make_closed(&folder).map_err(EmbeddedError::io("make", &folder))?;
            account.give(&folder)?;
        }
        account.must_own(&folder)?;
        Ok(folder)
    }

    /// The major version of the cluster that is here, if there is one.
    pub(super) fn cluster_major(&self) -> Result<Option<u16>, EmbeddedError> {
        let marker = self.path.join(MARKER);
        let version = self.cluster().join("PG_VERSION");
        if let Ok(text) = fs::read(&marker) {
            read_marker(&marker, &text)?;
        }
        match fs::read_to_string(&version) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EmbeddedError::io("read", &version)(error)),
        }
    }

    /// Writes the marker. It comes before the cluster, so that a start that was cut short is still known as ours.
    pub(super) fn claim(&self, postgres_major: u16) -> Result<(), EmbeddedError> {
        let made_by = format!("sekisho {}", env!("CARGO_PKG_VERSION"));
        let marker = Marker { format: MARKER_FORMAT, made_by, postgres_major };
        let new = self.path.join(MARKER_NEW);
        let mut text = serde_json::to_vec_pretty(&marker).unwrap_or_default();
        text.push(b'\n');
        let written =
            File::create(&new).and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()));
        written
            .and_then(|()| fs::rename(&new, self.path.join(MARKER)))
            .and_then(|()| sync_folder(&self.path))
            .map_err(EmbeddedError::io("write", &new))
    }

    /// Removes what a start that was cut short left of its cluster, and names a fresh place for the next.
    pub(super) fn nascent_cluster(&self, account: &Account) -> Result<PathBuf, EmbeddedError> {
        let entries = fs::read_dir(&self.path).map_err(EmbeddedError::io("list", &self.path))?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with("postgres.new-") {
                fs::remove_dir_all(entry.path()).map_err(EmbeddedError::io("remove", &entry.path()))?;
            }
        }
        self.subfolder(&format!("postgres.new-{}", random_hex::<4>()?), account)
    }

    /// Puts a finished cluster in its place, durably.
    pub(super) fn adopt_cluster(&self, nascent: &Path) -> Result<(), EmbeddedError> {
        let adopted = fs::rename(nascent, self.cluster()).and_then(|()| sync_folder(&self.path));
        adopted.map_err(EmbeddedError::io("put in place", nascent))
    }

    /// The folder of the Postgres socket: in the data folder, or a short one elsewhere when that path is too long.
    pub(super) fn socket_folder(&self, account: &Account) -> Result<PathBuf, EmbeddedError> {
        let inside = self.path.join("socket");
        if inside.as_os_str().len() <= SOCKET_FOLDER_BYTES_MAX {
            return self.subfolder("socket", account);
        }
        let record = self.path.join(SOCKET_RECORD);
        if let Ok(known) = fs::read_to_string(&record) {
            let known = PathBuf::from(known);
            if is_closed_folder_of(&known, account.uid()) {
                return Ok(known);
            }
        }
        let folder = short_base(account).join(format!("sekisho-{}", random_hex::<8>()?));
        // `/tmp` belongs to everybody: an exclusive mkdir cannot be led elsewhere.
        DirBuilder::new().mode(0o700).create(&folder).map_err(EmbeddedError::io("make", &folder))?;
        account.give(&folder)?;
        fs::write(&record, folder.as_os_str().as_encoded_bytes())
            .map_err(EmbeddedError::io("write", &record))?;
        Ok(folder)
    }
}

fn short_base(account: &Account) -> PathBuf {
    match account {
        Account::Ourselves => std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|base| {
                base.is_absolute() && base.is_dir() && base.as_os_str().len() < 60 && plain_text(base).is_ok()
            })
            .unwrap_or_else(|| PathBuf::from("/tmp")),
        Account::Service { .. } => PathBuf::from("/tmp"), // our own run-time folder is closed to the service user
    }
}

fn is_closed_folder_of(path: &Path, uid: u32) -> bool {
    let found = path.symlink_metadata();
    found.is_ok_and(|found| {
        found.is_dir() && found.uid() == uid && found.permissions().mode() & 0o7777 == 0o700
    })
}

/// The path goes into a URL and two configuration files.
fn plain_text(path: &Path) -> Result<(), EmbeddedError> {
    match path.to_str() {
        Some(text) if !text.chars().any(char::is_control) => Ok(()),
        Some(_) | None => Err(EmbeddedError::OddPath(path.to_owned())),
    }
}

fn refuse_foreign(path: &Path) -> Result<(), EmbeddedError> {
    if path.join(MARKER).exists() {
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(EmbeddedError::io("list", path))?;
    // A data folder within it is ours, too: the demonstration has one there.
    let mut foreign: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != LOCK && name != MARKER_NEW && !path.join(name).join(MARKER).exists())
        .collect();
    foreign.sort();
    match foreign.into_iter().next() {
        None => Ok(()),
        Some(entry) => Err(EmbeddedError::ForeignFolder { folder: path.to_owned(), entry, marker: MARKER }),
    }
}

fn lock(folder: &Path) -> Result<File, EmbeddedError> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    let mut file = options.open(&path).map_err(EmbeddedError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {
            let note = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            note.map_err(EmbeddedError::io("write", &path))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            Err(EmbeddedError::InUse { folder: folder.to_owned(), holder: named_in(&mut file) })
        }
        Err(TryLockError::Error(error)) => Err(EmbeddedError::io("lock", &path)(error)),
    }
}

/// Who wrote its number into the lock.
fn named_in(lock: &mut File) -> String {
    let mut pid = String::new();
    let known = lock.read_to_string(&mut pid).is_ok() && !pid.is_empty();
    if known { format!(" (process {pid})") } else { String::new() }
}

/// Who uses a folder.
pub(super) enum Holder {
    /// No process.
    Nobody,
    /// Another process.
    Somebody {
        /// ` (process 123)` where that is known, else empty.
        holder: String,
        /// Where its Postgres socket is.
        socket: PathBuf,
    },
}

/// Whether there is a folder and we made it; one with somebody else's things is an error. Changes nothing.
pub(super) fn is_claimed(wanted: &Path) -> Result<bool, EmbeddedError> {
    if wanted.exists() {
        refuse_foreign(wanted)?;
    }
    Ok(wanted.join(MARKER).exists())
}

/// Whether a process has this folder. Changes nothing.
pub(super) fn holder(claimed: &Path) -> Result<Holder, EmbeddedError> {
    let path = claimed.join(LOCK);
    let mut file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Holder::Nobody),
        opened => opened.map_err(EmbeddedError::io("open", &path))?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Holder::Nobody),
        Err(TryLockError::WouldBlock) => {
            let canonical = claimed.canonicalize().map_err(EmbeddedError::io("find", claimed))?;
            let elsewhere = fs::read_to_string(canonical.join(SOCKET_RECORD)).map(PathBuf::from);
            let socket = elsewhere.unwrap_or_else(|_| canonical.join("socket"));
            Ok(Holder::Somebody { holder: named_in(&mut file), socket })
        }
        Err(TryLockError::Error(error)) => Err(EmbeddedError::io("lock", &path)(error)),
    }
}

fn read_marker(path: &Path, text: &[u8]) -> Result<Marker, EmbeddedError> {
    let unreadable = |reason: String| EmbeddedError::UnreadableMarker { path: path.to_owned(), reason };
    let marker: Marker = serde_json::from_slice(text).map_err(|error| unreadable(error.to_string()))?;
    if marker.format == MARKER_FORMAT {
        Ok(marker)
    } else {
        Err(unreadable(format!("its format is {}, and this version knows {MARKER_FORMAT}", marker.format)))
    }
}

fn make_closed(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A rename is durable once its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Random bytes as hexadecimal text.
pub(super) fn random_hex<const BYTES: usize>() -> Result<String, EmbeddedError> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0_u8; BYTES];
    let read = File::open(source).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(EmbeddedError::io("read", source))?;
    let mut text = String::with_capacity(2 * BYTES);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}"); // writing to a String does not fail
    }
    Ok(text)
}
