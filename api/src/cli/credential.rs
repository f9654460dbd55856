//! The credential that `sekisho tools` and `sekisho call` present, and to whom: one of the environment belongs to the Sekisho that `--url` names and is
//! shown to nobody else; one that was named on the line goes where the line says, in place of whatever the environment holds. Neither goes over a
//! network in clear.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};
use http::header::{self, HeaderValue, InvalidHeaderValue};
use http::{HeaderMap, HeaderName};
use mcp::upstream::UpstreamUrl;
use url::Url;

use super::complain;
use crate::config::is_loopback;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

#[derive(Debug, Clone, Args)]
struct CredentialOptions {
    /// API key to present; better in the environment, where no list of processes shows it, and from where it goes to --url alone
    #[arg(long, env = "SEKISHO_API_KEY", value_name = "KEY", hide_env_values = true, value_parser = key)]
    api_key: Option<HeaderValue>,

    /// Access token to present in place of an API key
    #[arg(long, env = "SEKISHO_ACCESS_TOKEN", value_name = "TOKEN", hide_env_values = true, value_parser = token)]
    access_token: Option<HeaderValue>,
}

/// Where a credential is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Line,
    Environment,
}

/// A credential, if there is one.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    options: CredentialOptions,
    source: Source,
}

/// A credential would be read by whoever is on the way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}: a credential goes to other machines over https alone")]
pub(super) struct InClear(String);

/// A value that no `Debug` shows.
fn sensitive(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

fn key(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    sensitive(text.trim())
}

fn token(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    sensitive(&format!("Bearer {}", text.trim()))
}

/// Nobody says which one is meant.
fn two(why: &'static str) -> Error {
    Error::raw(ErrorKind::ArgumentConflict, why)
}

/// Read by hand for what only the matches tell: whether somebody named it here, or once and for all.
impl FromArgMatches for Credential {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let CredentialOptions { api_key, access_token } = CredentialOptions::from_arg_matches(matches)?;
        let source_of = |id| match matches.value_source(id) {
            Some(ValueSource::EnvVariable) => Source::Environment,
            Some(_) | None => Source::Line,
        };
        let (of_key, of_token) = (source_of("api_key"), source_of("access_token"));
        let (api_key, access_token, source) = match (api_key, access_token) {
            (None, None) => (None, None, Source::Line),
            (Some(key), None) => (Some(key), None, of_key),
            (None, Some(token)) => (None, Some(token), of_token),
            (Some(key), Some(token)) => match (of_key, of_token) {
                (Source::Line, Source::Environment) => (Some(key), None, Source::Line),
                (Source::Environment, Source::Line) => (None, Some(token), Source::Line),
                (Source::Line, Source::Line) => {
                    return Err(two("--api-key and --access-token are named: present one of them\n"));
                }
                (Source::Environment, Source::Environment) => {
                    return Err(two(
                        "SEKISHO_API_KEY and SEKISHO_ACCESS_TOKEN are set: name --api-key or --access-token to say which\n",
                    ));
                }
            },
        };
        Ok(Self { options: CredentialOptions { api_key, access_token }, source })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Credential {
    fn augment_args(command: Command) -> Command {
        CredentialOptions::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        CredentialOptions::augment_args_for_update(command)
    }
}

impl Credential {
    /// The headers that present it at this address, where it may be shown there. `home` is where Sekisho is reached.
    pub(super) fn headers(&self, to: &UpstreamUrl, home: &str) -> Result<HeaderMap, InClear> {
        let key = self.options.api_key.clone().map(|key| (API_KEY, key));
        let token = self.options.access_token.clone().map(|token| (header::AUTHORIZATION, token));
        let headers: HeaderMap = key.into_iter().chain(token).collect();
        if headers.is_empty() {
            return Ok(headers);
        }
        let origin = to.origin();
        let is_home = UpstreamUrl::parse(home).is_ok_and(|home| home.origin() == origin);
        if self.source == Source::Environment && !is_home {
            complain(&format!(
                "the credential in the environment is for {home} and is not shown to {origin}; name --api-key or --access-token to show one there"
            ));
            return Ok(HeaderMap::new());
        }
        let stays_here = Url::parse(&origin).is_ok_and(|url| is_loopback(&url));
        if stays_here || origin.starts_with("https://") { Ok(headers) } else { Err(InClear(origin)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(source: Source) -> Credential {
        let options = CredentialOptions { api_key: Some(key("sk_live_secret").unwrap()), access_token: None };
        Credential { options, source }
    }

    fn shown(credential: &Credential, to: &str, home: &str) -> Result<bool, InClear> {
        let headers = credential.headers(&UpstreamUrl::parse(to).unwrap(), home)?;
        Ok(headers.contains_key(API_KEY))
    }

    #[test]
    fn attack_49_a_credential_of_the_environment_is_shown_at_home_alone() {
        let credential = from(Source::Environment);
        let home = "https://mcp.example.com";
        for other in [
            "https://other.example/mcp",
            "https://mcp.example.com:444/mcp",
            "http://mcp.example.com/mcp",
            "https://mcp.example.com.other.example/mcp",
            "http://127.0.0.1:8080/mcp",
        ] {
            assert_eq!(shown(&credential, other, home), Ok(false), "{other}");
        }
        for own in ["https://mcp.example.com/mcp/1", "https://MCP.example.com:443/mcp/1"] {
            assert_eq!(shown(&credential, own, home), Ok(true), "{own}");
        }
        assert_eq!(shown(&credential, "https://mcp.example.com/mcp/1", "nothing"), Ok(false));
        assert_eq!(shown(&from(Source::Line), "https://other.example/mcp", home), Ok(true));
    }

    #[test]
    fn attack_49_a_credential_goes_over_no_network_in_clear() {
        for source in [Source::Line, Source::Environment] {
            for open in ["http://mcp.example.com", "http://10.0.0.1:8080", "http://localhost.example.com"] {
                assert_eq!(shown(&from(source), open, open), Err(InClear(open.to_owned())), "{open}");
            }
            for here in ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"] {
                assert_eq!(shown(&from(source), here, here), Ok(true), "{here}");
            }
        }
    }

    #[test]
    fn a_credential_is_shown_by_nothing() {
        let shown = format!("{:?}", (from(Source::Line), token("ey.secret")));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
