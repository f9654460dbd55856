//! What nodes counted, kept in the folder of this run when they stop: `scripts/canary.sh` looks for secrets in everything that lies there.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use crate::cluster;

/// A program may be killed, paused or busy when it is to tell.
const PATIENCE: Duration = Duration::from_secs(2);

/// The metrics of a node of this process, kept when this is dropped.
pub(crate) struct Counted {
    name: String,
    text: Box<dyn Fn() -> String + Send + Sync>,
}

impl Counted {
    /// By a node of this name.
    pub(crate) fn by(name: String, text: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { name, text: Box::new(text) }
    }
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counted").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        keep(&self.name, (self.text)().as_bytes());
    }
}

/// Where the metrics of a node are, once it stopped.
pub fn counted_by(name: &str) -> PathBuf {
    cluster::folder().join("metrics").join(name)
}

/// Keeps what a program of ours counted, if it answers.
pub(crate) fn keep_of_program(name: &str, port: u16) {
    let asked = || -> std::io::Result<Vec<u8>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer)?;
        Ok(answer)
    };
    if let Ok(answer) = asked() {
        keep(name, &answer);
    }
}

/// Says what went wrong and goes on: whoever is dropped may be so by a test that failed.
fn keep(name: &str, text: &[u8]) {
    let file = counted_by(name);
    let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = folder.and_then(|()| {
        OpenOptions::new().create(true).append(true).open(&file).and_then(|mut file| file.write_all(text))
    });
    if let Err(error) = written {
        let _ = writeln!(std::io::stderr(), "{}: {error}", file.display()); // there is nobody left to tell
    }
}
