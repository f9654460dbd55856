//! Options that say how often anybody may ask. The defaults let honest use through, and bound what one address, client or organization costs.

use clap::Args;

use super::faults::Faults;
use crate::limits::{Rates, TrustedProxies};

/// How often anybody may ask. On several nodes the numbers are for all of them together.
#[derive(Debug, Clone, Args)]
pub struct LimitOptions {
    /// Registrations of clients a minute from one address
    #[arg(
        long,
        env = "SEKISHO_REGISTER_PER_ADDRESS_PER_MINUTE",
        default_value = "20",
        value_name = "REQUESTS"
    )]
    pub register_per_address_per_minute: String,

    /// Registrations a day from one address of clients that are nobody's, where anybody may register
    #[arg(
        long,
        env = "SEKISHO_REGISTER_STRANGERS_PER_ADDRESS_PER_DAY",
        default_value = "100",
        value_name = "REQUESTS"
    )]
    pub register_strangers_per_address_per_day: String,

    /// Requests a minute at the token endpoint, and at those where tokens are given back and asked about, from one address
    #[arg(
        long,
        env = "SEKISHO_TOKEN_PER_ADDRESS_PER_MINUTE",
        default_value = "3000",
        value_name = "REQUESTS"
    )]
    pub token_per_address_per_minute: String,

    /// Token requests a minute of one client
    #[arg(
        long,
        env = "SEKISHO_TOKEN_PER_CLIENT_PER_MINUTE",
        default_value = "1200",
        value_name = "REQUESTS"
    )]
    pub token_per_client_per_minute: String,

    /// Token requests a minute of all clients of one organization
    #[arg(
        long,
        env = "SEKISHO_TOKEN_PER_ORGANIZATION_PER_MINUTE",
        default_value = "6000",
        value_name = "REQUESTS"
    )]
    pub token_per_organization_per_minute: String,

    /// Authorization requests a minute from one address
    #[arg(
        long,
        env = "SEKISHO_AUTHORIZE_PER_ADDRESS_PER_MINUTE",
        default_value = "300",
        value_name = "REQUESTS"
    )]
    pub authorize_per_address_per_minute: String,

    /// Authorization requests a minute for one client
    #[arg(
        long,
        env = "SEKISHO_AUTHORIZE_PER_CLIENT_PER_MINUTE",
        default_value = "600",
        value_name = "REQUESTS"
    )]
    pub authorize_per_client_per_minute: String,

    /// Authorization requests a minute for the instances of one organization
    #[arg(
        long,
        env = "SEKISHO_AUTHORIZE_PER_ORGANIZATION_PER_MINUTE",
        default_value = "1200",
        value_name = "REQUESTS"
    )]
    pub authorize_per_organization_per_minute: String,

    /// Authorization requests a minute of one person who is signed in
    #[arg(
        long,
        env = "SEKISHO_AUTHORIZE_PER_PERSON_PER_MINUTE",
        default_value = "300",
        value_name = "REQUESTS"
    )]
    pub authorize_per_person_per_minute: String,

    /// Requests a minute at the sign-in from one address; how often a password may be guessed is bounded apart
    #[arg(
        long,
        env = "SEKISHO_SIGN_IN_PER_ADDRESS_PER_MINUTE",
        default_value = "120",
        value_name = "REQUESTS"
    )]
    pub sign_in_per_address_per_minute: String,

    /// MCP requests a minute from one address
    #[arg(
        long,
        env = "SEKISHO_MCP_PER_ADDRESS_PER_MINUTE",
        default_value = "60000",
        value_name = "REQUESTS"
    )]
    pub mcp_per_address_per_minute: String,

    /// MCP requests a minute with all credentials for one organization
    #[arg(
        long,
        env = "SEKISHO_MCP_PER_ORGANIZATION_PER_MINUTE",
        default_value = "120000",
        value_name = "REQUESTS"
    )]
    pub mcp_per_organization_per_minute: String,

    /// Addresses and networks of proxies in front, separated by commas, such as 10.0.0.0/8: only what they say in X-Forwarded-For is believed
    #[arg(long, env = "SEKISHO_TRUSTED_PROXIES", default_value = "", value_name = "ADDRESSES")]
    pub trusted_proxies: String,
}

impl LimitOptions {
    pub(super) fn check(&self, faults: &mut Faults) -> Option<(Rates, TrustedProxies)> {
        let register_per_address =
            faults.count("--register-per-address-per-minute", &self.register_per_address_per_minute);
        let strangers_per_address_per_day = faults
            .count("--register-strangers-per-address-per-day", &self.register_strangers_per_address_per_day);
        let token_per_address =
            faults.count("--token-per-address-per-minute", &self.token_per_address_per_minute);
        let token_per_client =
            faults.count("--token-per-client-per-minute", &self.token_per_client_per_minute);
        let token_per_organization =
            faults.count("--token-per-organization-per-minute", &self.token_per_organization_per_minute);
        let authorize_per_address =
            faults.count("--authorize-per-address-per-minute", &self.authorize_per_address_per_minute);
        let authorize_per_client =
            faults.count("--authorize-per-client-per-minute", &self.authorize_per_client_per_minute);
        let authorize_per_organization = faults
            .count("--authorize-per-organization-per-minute", &self.authorize_per_organization_per_minute);
        let authorize_per_person =
            faults.count("--authorize-per-person-per-minute", &self.authorize_per_person_per_minute);
        let sign_in_per_address =
            faults.count("--sign-in-per-address-per-minute", &self.sign_in_per_address_per_minute);
        let mcp_per_address = faults.count("--mcp-per-address-per-minute", &self.mcp_per_address_per_minute);
        let mcp_per_organization =
            faults.count("--mcp-per-organization-per-minute", &self.mcp_per_organization_per_minute);
        let trusted = TrustedProxies::parse(&self.trusted_proxies)
            .map_err(|part| format!("{part:?} is neither an address nor a network such as 10.0.0.0/8"));
        let trusted = faults.note("--trusted-proxies", trusted);
        let rates = Rates {
            register_per_address: register_per_address?,
            strangers_per_address_per_day: strangers_per_address_per_day?,
            token_per_address: token_per_address?,
            token_per_client: token_per_client?,
            token_per_organization: token_per_organization?,
            authorize_per_address: authorize_per_address?,
            authorize_per_client: authorize_per_client?,
            authorize_per_organization: authorize_per_organization?,
            authorize_per_person: authorize_per_person?,
            sign_in_per_address: sign_in_per_address?,
            mcp_per_address: mcp_per_address?,
            mcp_per_organization: mcp_per_organization?,
        };
        Some((rates, trusted?))
    }
}
