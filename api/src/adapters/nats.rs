//! The connection to NATS, which must fit.

use std::time::Duration;

use async_nats::{Client, ConnectOptions};
use projections::server::{Unfit, fits};
use url::Url;

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
    /// It answers and will not do.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// Connects, or tells why not. User and password may stand in the address.
pub async fn connect(address: &str) -> Result<Client, NatsError> {
    let client = tokio::time::timeout(CONNECT_WAIT, options(address)?.connect(bare(address)?))
        .await
        .map_err(|_| NatsError::Unreachable(format!("no answer in {} s", CONNECT_WAIT.as_secs())))?
        .map_err(|error| NatsError::Unreachable(error.to_string()))?;
    fits(&client.server_info())?;
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
