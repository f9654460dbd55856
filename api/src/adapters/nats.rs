//! The connection to NATS, and the check that it is new enough.

use std::time::Duration;

use async_nats::{Client, ConnectOptions};
use url::Url;

/// First version whose streams keep metadata and whose KV works; 2.9 silently ignores what it does not know.
const VERSION_MIN: (u64, u64) = (2, 10);
const CONNECT_WAIT: Duration = Duration::from_secs(3);

/// NATS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// Not an address.
    #[error("{0:?} is not a NATS address such as nats://127.0.0.1:4222")]
    Address(String),
    /// Nobody answers there.
    #[error("NATS does not answer: {0}")]
    Unreachable(String),
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

/// Connects, or tells why not. User and password may stand in the address.
pub async fn connect(address: &str) -> Result<Client, NatsError> {
    let client = tokio::time::timeout(CONNECT_WAIT, options(address)?.connect(bare(address)?))
        .await
        .map_err(|_| NatsError::Unreachable(format!("no answer in {} s", CONNECT_WAIT.as_secs())))?
        .map_err(|error| NatsError::Unreachable(error.to_string()))?;
    check(&client)?;
    Ok(client)
}

/// A client that keeps trying in the background, for a NATS that is away when we start.
pub async fn connect_later(address: &str) -> Result<Client, NatsError> {
    options(address)?
        .retry_on_initial_connect()
        .connect(bare(address)?)
        .await
        .map_err(|error| NatsError::Unreachable(error.to_string()))
}

/// Whether a connected server is one that we can use.
pub fn check(client: &Client) -> Result<(), NatsError> {
    let info = client.server_info();
    let mut parts = info.version.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found < VERSION_MIN {
        return Err(NatsError::TooOld { found: info.version });
    }
    if info.jetstream { Ok(()) } else { Err(NatsError::NoJetStream) }
}

fn parsed(address: &str) -> Result<Url, NatsError> {
    let url = Url::parse(address)
        .ok()
        .filter(|url| matches!(url.scheme(), "nats" | "tls" | "ws" | "wss") && url.host().is_some());
    // The text may hold a password: name only what stands before the user.
    url.ok_or_else(|| {
        NatsError::Address(address.rsplit('@').next().unwrap_or_default().chars().take(80).collect())
    })
}

/// async-nats ignores user and password in the address; they are given as options.
fn options(address: &str) -> Result<ConnectOptions, NatsError> {
    let url = parsed(address)?;
    let options =
        ConnectOptions::new().name("sekisho").ping_interval(Duration::from_secs(5)).max_reconnects(None);
    Ok(match (url.username(), url.password()) {
        ("", _) => options,
        (user, Some(password)) => options.user_and_password(user.to_owned(), password.to_owned()),
        (token, None) => options.token(token.to_owned()),
    })
}

fn bare(address: &str) -> Result<String, NatsError> {
    let mut url = parsed(address)?;
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok(url.to_string())
}
