//! Options about identity providers.

use std::time::Duration;

use clap::Args;

use super::faults::Faults;
use crate::providers::ProviderLimits;

/// Options as they were written.
#[derive(Debug, Clone, Args)]
pub struct ProviderOptions {
    /// Seconds that one request to an identity provider may take
    #[arg(long, env = "SEKISHO_PROVIDER_REQUEST_SECONDS", default_value = "5", value_name = "SECONDS")]
    pub provider_request_seconds: String,

    /// Seconds for which an identity provider that answered is taken to be there, without asking it again
    #[arg(long, env = "SEKISHO_PROVIDER_CONTACT_SECONDS", default_value = "30", value_name = "SECONDS")]
    pub provider_contact_seconds: String,

    /// Failures in a row after which an identity provider is left alone
    #[arg(long, env = "SEKISHO_PROVIDER_FAILURES_MAX", default_value = "3", value_name = "COUNT")]
    pub provider_failures_max: String,

    /// Seconds for which it is left alone before one request tries again
    #[arg(long, env = "SEKISHO_PROVIDER_OPEN_SECONDS", default_value = "30", value_name = "SECONDS")]
    pub provider_open_seconds: String,

    /// Minutes that a session from an identity provider goes on before the provider is asked again: whoever is shut out there is out here after
    /// as long. What they allowed clients goes on until it is taken back or they are suspended here
    #[arg(long, env = "SEKISHO_PROVIDER_SESSION_MINUTES", default_value = "60", value_name = "MINUTES")]
    pub provider_session_minutes: String,

    /// Minutes since an identity provider last vouched for somebody that they may go on while it does not answer; no less than the minutes of a
    /// session
    #[arg(long, env = "SEKISHO_PROVIDER_FALLBACK_MINUTES", default_value = "480", value_name = "MINUTES")]
    pub provider_fallback_minutes: String,
}

/// Two weeks.
const MINUTES_MAX: f64 = 14.0 * 24.0 * 60.0;

impl ProviderOptions {
    pub(super) fn check(&self, faults: &mut Faults) -> Option<ProviderLimits> {
        let request = faults.seconds("--provider-request-seconds", &self.provider_request_seconds);
        let contact = faults.seconds("--provider-contact-seconds", &self.provider_contact_seconds);
        let failures_max = faults.count("--provider-failures-max", &self.provider_failures_max);
        let open = faults.seconds("--provider-open-seconds", &self.provider_open_seconds);
        let session = minutes(faults, "--provider-session-minutes", &self.provider_session_minutes);
        let fallback = minutes(faults, "--provider-fallback-minutes", &self.provider_fallback_minutes);
        if let (Some(session), Some(fallback)) = (session, fallback)
            && fallback < session
        {
            let why = "less than --provider-session-minutes: the fallback would end before it begins";
            faults.note::<(), &str>("--provider-fallback-minutes", Err(why));
        }
        Some(ProviderLimits {
            request: request?,
            contact: contact?,
            failures_max: failures_max?.get(),
            open: open?,
            session: session?,
            fallback: fallback?,
        })
    }
}

fn minutes(faults: &mut Faults, option: &'static str, text: &str) -> Option<Duration> {
    let parsed = text.parse::<f64>().ok().filter(|minutes| *minutes > 0.0 && *minutes <= MINUTES_MAX);
    let wrong = || format!("{text:?} is not a number of minutes between 0 and {MINUTES_MAX}");
    faults.note(option, parsed.map(|minutes| Duration::from_secs_f64(minutes * 60.0)).ok_or_else(wrong))
}
