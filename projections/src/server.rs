//! What a NATS server must be.
//!
//! Asked of the server that answers, not of the address: one that was away when we started may turn out to be anything.

use async_nats::ServerInfo;

/// First version whose streams keep metadata and whose KV works; 2.9 silently ignores what it does not know.
const VERSION_MIN: (u64, u64) = (2, 10);

/// This server will not do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Too old.
    #[error(
        "nats-server {found} is too old: Sekisho needs 2.10 or later; upgrade it, or unset NATS_URL to read the log from Postgres alone"
    )]
    TooOld {
        /// What it says it is.
        found: String,
    },
    /// Without JetStream.
    #[error("this nats-server has no JetStream; start it with -js")]
    NoJetStream,
}

/// Whether a server that has introduced itself will do.
pub fn fits(info: &ServerInfo) -> Result<(), Unfit> {
    let mut parts = info.version.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found < VERSION_MIN {
        return Err(Unfit::TooOld { found: info.version.clone() });
    }
    if info.jetstream { Ok(()) } else { Err(Unfit::NoJetStream) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(version: &str, jetstream: bool) -> ServerInfo {
        ServerInfo { version: version.to_owned(), jetstream, ..ServerInfo::default() }
    }

    #[test]
    fn the_version_of_debian_is_refused_by_its_name() {
        assert_eq!(fits(&server("2.9.10", true)), Err(Unfit::TooOld { found: "2.9.10".to_owned() }));
        assert_eq!(fits(&server("1.4", true)), Err(Unfit::TooOld { found: "1.4".to_owned() }));
    }

    #[test]
    fn a_server_without_jetstream_is_refused() {
        assert_eq!(fits(&server("2.15.1", false)), Err(Unfit::NoJetStream));
    }

    #[test]
    fn later_versions_will_do() {
        for version in ["2.10.0", "2.15.1", "3.0.0-preview"] {
            assert_eq!(fits(&server(version, true)), Ok(()), "{version}");
        }
    }
}
