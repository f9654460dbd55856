//! Texts of options, read one by one; what is wrong with them is collected.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use domain::value::{AddressRange, SigningAlgorithm};
use projections::calls::Retention;
use url::Url;

use super::{ConfigError, Registration, Signing};
use crate::adapters::outbound::Loopback;
use crate::oauth::{PublishedKeyLimits, RegistrationPolicy, UNUSED_CLIENT_KEPT_AT_LEAST, UNUSED_CLIENTS_MAX};

/// Nodes look at the log every 50 ms, and after 150 ms of silence by themselves: a shorter bound would be passed in health.
const STALENESS_MIN: Duration = Duration::from_millis(300);
const STALENESS_MAX: Duration = Duration::from_mins(1);

/// A key that signs for longer would be forgotten by those who look after it.
const SIGNING_KEY_DAYS_MAX: u16 = 730;

/// A year: clients that nobody ever used for so long would fill the log with nothing.
const UNUSED_HOURS_MAX: u16 = 8_760;

/// A day: a key that was taken away there would count here for as long.
const STALE_KEYS_MINUTES_MAX: u64 = 1_440;

/// Collects what is wrong.
#[derive(Default)]
pub(super) struct Faults(Vec<ConfigError>);

impl Faults {
    /// Everything that is wrong.
    pub(super) fn all(self) -> Vec<ConfigError> {
        self.0
    }

    /// What was read, or everything that is wrong.
    pub(super) fn or<T>(self, read: Option<T>) -> Result<T, Vec<ConfigError>> {
        read.filter(|_| self.0.is_empty()).ok_or(self.0)
    }

    pub(super) fn note<T, E: std::fmt::Display>(
        &mut self,
        option: &'static str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.0.push(ConfigError { option, problem: error.to_string() })).ok()
    }

    pub(super) fn seconds(&mut self, option: &'static str, text: &str) -> Option<Duration> {
        let parsed = text.parse::<f64>().ok().filter(|seconds| *seconds > 0.0 && *seconds <= 86_400.0);
        let wrong = || format!("{text:?} is not a number of seconds between 0 and 86400");
        self.note(option, parsed.map(Duration::from_secs_f64).ok_or_else(wrong))
    }

    pub(super) fn staleness(&mut self, option: &'static str, text: &str) -> Option<Duration> {
        let parsed = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let good = parsed.filter(|bound| (STALENESS_MIN..=STALENESS_MAX).contains(bound));
        let wrong = || format!("{text:?} is not a number of seconds between 0.3 and 60");
        self.note(option, good.ok_or_else(wrong))
    }

    /// Below, a stolen digest is guessed too fast; above, a sign-in takes seconds.
    pub(super) fn bcrypt_cost(&mut self, option: &'static str, text: &str) -> Option<u32> {
        let cost = text.parse().ok().filter(|cost| (10..=14).contains(cost));
        self.note(option, cost.ok_or_else(|| format!("{text:?} is not a cost from 10 to 14")))
    }

    pub(super) fn mebibytes(&mut self, option: &'static str, text: &str) -> Option<usize> {
        let count = text.parse::<u32>().ok().and_then(|count| usize::try_from(count).ok());
        let bytes = count.filter(|count| *count > 0).and_then(|count| count.checked_mul(1024 * 1024));
        self.note(option, bytes.ok_or_else(|| format!("{text:?} is not a number of MiB from 1 on")))
    }

    pub(super) fn signing(&mut self, algorithm: &str, days: &str) -> Option<Signing> {
        let algorithm = self.signing_algorithm(algorithm);
        let good = days.parse().ok().filter(|days| (1..=SIGNING_KEY_DAYS_MAX).contains(days));
        let wrong = || format!("{days:?} is not 1 to {SIGNING_KEY_DAYS_MAX} days");
        let key_days = self.note("--signing-key-days", good.ok_or_else(wrong));
        Some(Signing { algorithm: algorithm?, key_days: key_days? })
    }

    pub(super) fn signing_algorithm(&mut self, text: &str) -> Option<SigningAlgorithm> {
        let known = SigningAlgorithm::parse(text);
        self.note(
            "--signing-algorithm",
            known.ok_or_else(|| format!("{text:?} is not RS256, ES256 or EdDSA")),
        )
    }

    pub(super) fn registration(&mut self, policy: Option<&str>, hours: &str) -> Option<Registration> {
        let known = policy.map_or(Some(RegistrationPolicy::Token), RegistrationPolicy::parse);
        let unknown = || format!("{:?} is not closed, token or open", policy.unwrap_or_default());
        let policy = self.note("--registration", known.ok_or_else(unknown));
        let good = hours.parse::<u16>().ok().filter(|hours| (1..=UNUSED_HOURS_MAX).contains(hours));
        let wrong = || format!("{hours:?} is not 1 to {UNUSED_HOURS_MAX} hours");
        let hours = self.note("--registration-unused-hours", good.ok_or_else(wrong));
        let unused_for = Duration::from_secs(u64::from(hours?) * 60 * 60);
        Some(Registration {
            policy: policy?,
            unused_for,
            unused_max: UNUSED_CLIENTS_MAX,
            unused_kept_at_least: UNUSED_CLIENT_KEPT_AT_LEAST,
        })
    }

    /// Where nobody may register, nobody is known by a document either, unless somebody says so.
    pub(super) fn client_documents(
        &mut self,
        said: Option<&str>,
        registration: Option<Registration>,
    ) -> Option<bool> {
        match said {
            Some(text) => self.note("--client-documents", on_or_off(text)),
            None => registration.map(|registration| registration.policy.lets_some()),
        }
    }

    /// The same, where none at all is right too.
    pub(super) fn seconds_or_none(&mut self, option: &'static str, text: &str) -> Option<Duration> {
        if text == "0" { Some(Duration::ZERO) } else { self.seconds(option, text) }
    }

    pub(super) fn retention(&mut self, text: &str) -> Option<Retention> {
        let days = text.parse().ok().filter(|days| (1..=3_650).contains(days));
        let days = days.ok_or_else(|| format!("{text:?} is not 1 to 3650 days"));
        self.note("--call-retention-days", days.map(|days| Retention { days }))
    }

    pub(super) fn published_keys(&mut self, text: &str) -> Option<PublishedKeyLimits> {
        let minutes = text.parse::<u64>().ok().filter(|minutes| *minutes <= STALE_KEYS_MINUTES_MAX);
        let wrong =
            || format!("{text:?} is not a whole number of minutes from 0 to {STALE_KEYS_MINUTES_MAX}");
        let limits = minutes.map(|minutes| PublishedKeyLimits {
            stale: Duration::from_mins(minutes),
            ..PublishedKeyLimits::default()
        });
        self.note("--client-keys-stale-minutes", limits.ok_or_else(wrong))
    }

    pub(super) fn outbound_loopback(&mut self, text: &str, listen: Option<SocketAddr>) -> Option<Loopback> {
        let public = listen.is_some_and(|address| !address.ip().is_loopback());
        let allowed = match on_or_off(text) {
            Ok(true) if public => {
                Err("on goes with listening on loopback alone: others could reach this machine by it"
                    .to_owned())
            }
            Ok(true) => Ok(Loopback::Allowed),
            Ok(false) => Ok(Loopback::Refused),
            Err(wrong) => Err(wrong),
        };
        self.note("--outbound-loopback", allowed)
    }

    /// This machine is among them only where somebody says so: who else reaches us through a proxy on it, nothing here tells.
    pub(super) fn networks(&mut self, text: Option<&str>) -> Option<Vec<AddressRange>> {
        let text = text.unwrap_or_default();
        let named = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let read = |part: &str| AddressRange::parse(part).map_err(|error| format!("{part:?}: {error}"));
        self.note("--upstream-networks", named.map(read).collect())
    }

    pub(super) fn count(&mut self, option: &'static str, text: &str) -> Option<NonZeroU32> {
        self.note(
            option,
            text.parse().map_err(|_| format!("{text:?} is not a whole number from 1 to 4294967295")),
        )
    }
}

pub(super) fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("{other:?} is neither on nor off")),
    }
}

/// Scheme and host, and a path where others live at the same host: simple segments, since clients compare what is made of it letter by letter.
pub(super) fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    let simple = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let segments = url.path().trim_end_matches('/').split('/').skip(1);
    let plain = matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && segments.into_iter().all(|segment| !segment.is_empty() && segment.bytes().all(simple))
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then_some(url).ok_or_else(|| {
        format!("{text:?} is not scheme and host, with a plain path at most, such as https://mcp.example.com")
    })
}
