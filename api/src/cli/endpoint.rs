//! Where `sekisho tools` and `sekisho call` ask, and with what credential: they are clients like any other, and open no store.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use domain::value::InstanceId;
use mcp::client::{Client, ClientError, Endpoint};
use mcp::upstream::{
    NotAnUpstreamUrl, TlsSetupError, Unauthorized, Upstream, UpstreamConfig, UpstreamTimeouts, UpstreamUrl,
};

use super::credential::{Credential, InClear};

/// However much a call reports on the way.
const CALL_HOURS_MAX: u64 = 24;

/// An instance, and a credential for it.
#[derive(Debug, Args)]
pub(super) struct EndpointOptions {
    /// The instance, by its id, or any MCP endpoint, by its address
    #[arg(value_name = "INSTANCE")]
    instance: Place,

    /// Where Sekisho is reached, for an instance that is named by its id
    #[arg(long, env = "SEKISHO_URL", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,

    #[command(flatten)]
    credential: Credential,

    /// Seconds to wait for an answer, and for each further sign of life of one
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = clap::value_parser!(u32).range(1..))]
    timeout_seconds: u32,

    /// Print JSON, as the server gave it
    #[arg(long)]
    pub(super) json: bool,
}

/// How an instance is named.
#[derive(Debug, Clone)]
enum Place {
    Id(InstanceId),
    Address(UpstreamUrl),
}

/// The server was not even reached, or had nothing to say to us.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// `--url` is none.
    #[error("--url: {0}")]
    Url(#[from] NotAnUpstreamUrl),
    /// A credential is not for there.
    #[error(transparent)]
    InClear(#[from] InClear),
    /// This machine cannot.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// The server.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return UpstreamUrl::parse(text).map(Self::Address).map_err(|error| error.to_string());
        }
        let id = text.parse().map_err(|_| "neither the id of an instance nor the address of an MCP endpoint");
        Ok(Self::Id(id?))
    }
}

impl EndpointOptions {
    /// Reaches the endpoint and finds out how it speaks.
    pub(super) async fn connect(&self) -> Result<Client, AskError> {
        let url = match &self.instance {
            Place::Address(url) => url.clone(),
            Place::Id(id) => UpstreamUrl::parse(&format!("{}/mcp/{id}", self.url.trim_end_matches('/')))?,
        };
        let headers = self.credential.headers(&url, &self.url)?;
        let wait = Duration::from_secs(self.timeout_seconds.into());
        let timeouts = UpstreamTimeouts {
            first_byte: wait,
            idle: wait,
            hard: Duration::from_hours(CALL_HOURS_MAX),
            ..UpstreamTimeouts::default()
        };
        let unauthorized = Unauthorized::IsAnAnswer; // it is ours, and says what is wrong with the credential
        let config = UpstreamConfig { timeouts, unauthorized, ..UpstreamConfig::default() };
        let upstream = Upstream::try_new(config)?;
        Ok(Client::connect(Endpoint { upstream, url, headers, name: "sekisho" }).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_an_id_nor_an_address_names_nothing() {
        for text in ["", "tools", "mcp/1", "ftp://127.0.0.1/mcp", "http://user:secret@127.0.0.1/mcp"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
