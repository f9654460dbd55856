//! What consumers on this machine read the events by: an account of the private nats-server that may read one stream, and may publish nothing.
//!
//! It stands in a file of the data folder, closed to others, as variables that a shell takes and the example consumer reads. The password stays as it is,
//! and so does the port, unless somebody else took it while nothing ran here.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::EmbeddedError;
use super::folder::{DataFolder, random_hex};

const FILE: &str = "nats-reader.env";
const USER: &str = "reader";
/// Answers come to the reader here: below `_INBOX` it would read what NATS answers to others.
const INBOX: &str = "_INBOX_reader";
const PASSWORD_BYTES: usize = 24;

/// The account.
#[derive(Debug)]
pub(super) struct Reader {
    file: PathBuf,
    stream: String,
    password: String,
    port_before: Option<u16>,
}

/// The file of a data folder, when it was made.
pub(super) fn file_in(data: &Path) -> Option<PathBuf> {
    let file = data.join(FILE);
    file.is_file().then_some(file)
}

impl Reader {
    /// The account that the folder has already, or a new one.
    pub(super) fn of(folder: &DataFolder, stream: &str) -> Result<Self, EmbeddedError> {
        let file = folder.path().join(FILE);
        let before = fs::read_to_string(&file).ok().and_then(|text| known(&text));
        let (password, port_before) = match before {
            Some((password, port)) => (password, Some(port)),
            None => (random_hex::<PASSWORD_BYTES>()?, None),
        };
        Ok(Self { file, stream: stream.to_owned(), password, port_before })
    }

    /// Where the server listened the last time.
    pub(super) const fn port_before(&self) -> Option<u16> {
        self.port_before
    }

    /// Where it is told.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The stream that it may read.
    pub(super) fn stream(&self) -> &str {
        &self.stream
    }

    /// Its part of the server's configuration: what reading takes, as docs/consumers.md lists it. The name of a stream needs no quoting.
    pub(super) fn configuration(&self) -> String {
        let Self { stream, password, .. } = self;
        let asked = ["CREATE", "INFO", "DELETE", "MSG.NEXT"]
            .map(|what| format!("$JS.API.CONSUMER.{what}.{stream}.>"));
        let asked = [format!("$JS.API.STREAM.INFO.{stream}")].into_iter().chain(asked);
        let asked: Vec<String> = asked.map(|subject| format!("\"{subject}\"")).collect();
        format!(
            "{{ user: \"{USER}\", password: \"{password}\", permissions: {{ publish: {{ allow: [{}] }}, subscribe: {{ allow: [\"{INBOX}.>\"] }} }} }}",
            asked.join(", ")
        )
    }

    /// Tells how the server is reached: a new file in the place of the old one, so that nobody reads half of it.
    pub(super) fn tell(&self, port: u16) -> Result<(), EmbeddedError> {
        let text = format!(
            "# How a consumer on this machine reads the events, while Sekisho serves: docs/consumers.md. Made at each start.\n\
             NATS_URL=nats://{USER}:{}@127.0.0.1:{port}\nNATS_INBOX_PREFIX={INBOX}\n",
            self.password
        );
        let new = self.file.with_extension("env.new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(EmbeddedError::io("replace", &new)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        let placed = written.and_then(|()| fs::rename(&new, &self.file));
        placed.map_err(EmbeddedError::io("write", &self.file))
    }
}

/// Password and port of a file that was written here. One that was not is replaced.
fn known(text: &str) -> Option<(String, u16)> {
    let url = text.lines().find_map(|line| line.strip_prefix("NATS_URL=nats://"))?;
    let (password, port) = url.strip_prefix(USER)?.strip_prefix(':')?.split_once("@127.0.0.1:")?;
    let good = password.len() == 2 * PASSWORD_BYTES && password.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((password.to_owned(), port.trim().parse().ok()?)).filter(|_| good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_wrote_into_the_file_is_no_account() {
        let short = "NATS_URL=nats://reader:abc@127.0.0.1:4222";
        let quoted = format!("NATS_URL=nats://reader:{}\"@127.0.0.1:4222", "a".repeat(47));
        let nowhere = format!("NATS_URL=nats://reader:{}@127.0.0.1:", "a".repeat(48));
        for text in ["", "NATS_URL=", short, &quoted, &nowhere] {
            assert_eq!(known(text), None, "{text}");
        }
    }

    #[test]
    fn what_was_written_here_is_known_again() {
        let (password, port) = ("0123456789abcdef".repeat(3), 4711);
        let text =
            format!("# a comment\nNATS_URL=nats://reader:{password}@127.0.0.1:{port}\nNATS_INBOX_PREFIX=x\n");
        assert_eq!(known(&text), Some((password, port)));
    }
}
