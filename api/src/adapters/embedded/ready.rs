//! Asking a server whether it is ready, by the first words of its own protocol: an open socket is not yet a ready server.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

const ANSWER_SECONDS_MAX: u64 = 5;
/// No message before the first ReadyForQuery is near this long.
const MESSAGE_BYTES_MAX: u32 = 64 * 1024;
/// Protocol 3.0 (PostgreSQL documentation, "Message Formats", StartupMessage).
const PROTOCOL: i32 = 196_608;
/// `cannot_connect_now`: starting up, recovering or shutting down.
const CANNOT_CONNECT_NOW: &str = "57P03";

/// What a server answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// It serves.
    Ready,
    /// Asking again may help.
    NotYet(String),
    /// It will not serve us, however often we ask.
    Refused(String),
}

/// Opens a session as `name` on the database `name` and closes it.
pub(super) async fn postgres_readiness(socket: &Path, name: &str) -> Readiness {
    match timeout(Duration::from_secs(ANSWER_SECONDS_MAX), open_session(socket, name)).await {
        Ok(Ok(readiness)) => readiness,
        Ok(Err(error)) => Readiness::NotYet(error.to_string()),
        Err(_) => Readiness::NotYet("no answer".to_owned()),
    }
}

async fn open_session(socket: &Path, name: &str) -> io::Result<Readiness> {
    let mut stream = UnixStream::connect(socket).await?;
    let mut body = PROTOCOL.to_be_bytes().to_vec();
    for word in ["user", name, "database", name, ""] {
        body.extend_from_slice(word.as_bytes());
        body.push(0);
    }
    let length = u32::try_from(body.len() + 4).unwrap_or(MESSAGE_BYTES_MAX);
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&body).await?;
    loop {
        let kind = stream.read_u8().await?;
        let length = stream.read_u32().await?;
        if !(4..=MESSAGE_BYTES_MAX).contains(&length) {
            return Ok(Readiness::Refused("what answers on the socket does not speak Postgres".to_owned()));
        }
        let mut body = Vec::new();
        (&mut stream).take(u64::from(length - 4)).read_to_end(&mut body).await?;
        match kind {
            b'Z' => {
                stream.write_all(&[b'X', 0, 0, 0, 4]).await?; // Terminate
                return Ok(Readiness::Ready);
            }
            b'E' => return Ok(refusal(&body)),
            b'R' | b'S' | b'K' | b'N' => {} // authenticated, a parameter, the cancel key, a notice
            other => return Ok(Readiness::Refused(format!("unexpected message {:?}", char::from(other)))),
        }
    }
}

/// An ErrorResponse is a list of fields, each a letter and a text that ends with a zero.
fn refusal(body: &[u8]) -> Readiness {
    let field = |letter: u8| {
        let mut fields = body.split(|byte| *byte == 0);
        let found = fields.find_map(|field| field.strip_prefix(&[letter]));
        String::from_utf8_lossy(found.unwrap_or_default()).into_owned()
    };
    if field(b'C') == CANNOT_CONNECT_NOW {
        Readiness::NotYet(field(b'M'))
    } else {
        Readiness::Refused(field(b'M'))
    }
}

/// Whether the server that we configured, and no other, answers on the port and lets us in.
pub(super) async fn nats_readiness(port: u16, server: &str, password: &str) -> Readiness {
    match timeout(Duration::from_secs(ANSWER_SECONDS_MAX), ping(port, server, password)).await {
        Ok(Ok(readiness)) => readiness,
        Ok(Err(error)) => Readiness::NotYet(error.to_string()),
        Err(_) => Readiness::NotYet("no answer".to_owned()),
    }
}

async fn ping(port: u16, server: &str, password: &str) -> io::Result<Readiness> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader.take(u64::from(MESSAGE_BYTES_MAX))).lines();
    let info = lines.next_line().await?.unwrap_or_default();
    if !info.contains(server) {
        return Ok(Readiness::Refused(format!("another server answers on port {port}")));
    }
    if !info.contains(r#""jetstream":true"#) {
        return Ok(Readiness::NotYet("JetStream is not there yet".to_owned()));
    }
    let user = super::nats::USER;
    let connect =
        format!(r#"CONNECT {{"user":"{user}","pass":"{password}","verbose":false,"pedantic":false}}"#);
    writer.write_all(format!("{connect}\r\nPING\r\n").as_bytes()).await?;
    match lines.next_line().await?.as_deref() {
        Some("PONG") => Ok(Readiness::Ready),
        Some(other) => Ok(Readiness::Refused(other.to_owned())),
        None => Ok(Readiness::NotYet("the connection was closed".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starting_up_is_not_ready_and_not_a_refusal() {
        let body = b"SFATAL\0C57P03\0Mthe database system is starting up\0\0";
        assert_eq!(refusal(body), Readiness::NotYet("the database system is starting up".to_owned()));
    }

    #[test]
    fn a_missing_database_is_a_refusal() {
        let body = b"SFATAL\0C3D000\0Mdatabase \"sekisho\" does not exist\0\0";
        assert_eq!(refusal(body), Readiness::Refused("database \"sekisho\" does not exist".to_owned()));
    }
}
