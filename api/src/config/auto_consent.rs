//! Auto consent: whoever can send a request gets what the demonstration's user may have. So it is for a machine's own programs alone.

use domain::value::EmailAddress;
use url::{Host, Url};

use super::{Config, ConfigError};

/// Who is signed in and agrees without being asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoConsent {
    /// By their address.
    pub(crate) email: EmailAddress,
}

impl Config {
    /// The same for a demonstration that signs this user in. Refused unless this machine alone reaches it.
    pub fn consenting_as(self, email: EmailAddress) -> Result<Self, ConfigError> {
        let option = "--auto-consent";
        if !self.listen.ip().is_loopback() {
            let problem = format!(
                "whoever reaches {} would act for the demonstration's user; listen on loopback, such as 127.0.0.1:8080",
                self.listen
            );
            return Err(ConfigError { option, problem });
        }
        if let Some(url) = self.public_url.as_ref().filter(|url| !is_loopback(url)) {
            let problem = format!(
                "{url} leads here from elsewhere, and whoever comes would act for the demonstration's user; leave --public-url out"
            );
            return Err(ConfigError { option, problem });
        }
        Ok(Self { auto_consent: Some(AutoConsent { email }), ..self })
    }
}

/// Whether an address names this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
