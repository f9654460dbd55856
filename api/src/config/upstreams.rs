//! Options about upstreams: how long they may take, and when they are left alone.

use clap::Args;
use mcp::upstream::UpstreamTimeouts;

use super::faults::Faults;
use crate::gateway::BreakerLimits;

/// Options as they were written.
#[derive(Debug, Clone, Args)]
pub struct UpstreamOptions {
    /// Seconds to wait for a connection to an upstream
    #[arg(long, env = "SEKISHO_UPSTREAM_CONNECT_SECONDS", default_value = "5", value_name = "SECONDS")]
    pub upstream_connect_seconds: String,

    /// Seconds to wait for an upstream to begin its answer
    #[arg(long, env = "SEKISHO_UPSTREAM_FIRST_BYTE_SECONDS", default_value = "120", value_name = "SECONDS")]
    pub upstream_first_byte_seconds: String,

    /// Seconds that an upstream may be silent within an answer
    #[arg(long, env = "SEKISHO_UPSTREAM_IDLE_SECONDS", default_value = "300", value_name = "SECONDS")]
    pub upstream_idle_seconds: String,

    /// Seconds that one answer may take in all
    #[arg(long, env = "SEKISHO_UPSTREAM_HARD_SECONDS", default_value = "3600", value_name = "SECONDS")]
    pub upstream_hard_seconds: String,

    /// Failures in a row after which an upstream is left alone, and its callers are answered 503 at once
    #[arg(long, env = "SEKISHO_UPSTREAM_FAILURES_MAX", default_value = "5", value_name = "COUNT")]
    pub upstream_failures_max: String,

    /// Seconds for which an upstream is left alone the first time; each further time in a row twice as long
    #[arg(long, env = "SEKISHO_UPSTREAM_OPEN_SECONDS", default_value = "1", value_name = "SECONDS")]
    pub upstream_open_seconds: String,

    /// Seconds for which an upstream is left alone at most, give or take a fifth
    #[arg(long, env = "SEKISHO_UPSTREAM_OPEN_SECONDS_MAX", default_value = "60", value_name = "SECONDS")]
    pub upstream_open_seconds_max: String,

    /// Seconds that an upstream in trouble may take to answer when it is checked whether it is there
    #[arg(long, env = "SEKISHO_UPSTREAM_CHECK_SECONDS", default_value = "5", value_name = "SECONDS")]
    pub upstream_check_seconds: String,
}

impl UpstreamOptions {
    pub(super) fn check(&self, faults: &mut Faults) -> Option<(UpstreamTimeouts, BreakerLimits)> {
        let connect = faults.seconds("--upstream-connect-seconds", &self.upstream_connect_seconds);
        let first_byte = faults.seconds("--upstream-first-byte-seconds", &self.upstream_first_byte_seconds);
        let idle = faults.seconds("--upstream-idle-seconds", &self.upstream_idle_seconds);
        let hard = faults.seconds("--upstream-hard-seconds", &self.upstream_hard_seconds);
        let failures_max = faults.count("--upstream-failures-max", &self.upstream_failures_max);
        let open = faults.seconds("--upstream-open-seconds", &self.upstream_open_seconds);
        let open_max = faults.seconds("--upstream-open-seconds-max", &self.upstream_open_seconds_max);
        let check = faults.seconds("--upstream-check-seconds", &self.upstream_check_seconds);
        if let (Some(open), Some(open_max)) = (open, open_max)
            && open_max < open
        {
            let why = "less than --upstream-open-seconds: the longest time would be shorter than the first";
            faults.note::<(), &str>("--upstream-open-seconds-max", Err(why));
        }
        let timeouts =
            UpstreamTimeouts { connect: connect?, first_byte: first_byte?, idle: idle?, hard: hard? };
        let limits = BreakerLimits {
            failures_max: failures_max?.get(),
            open: open?,
            open_max: open_max?,
            check: check?,
        };
        Some((timeouts, limits))
    }
}
