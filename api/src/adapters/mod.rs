//! Technologies behind the ports. Only `wiring` names what stands here.

mod bcrypt_hasher;
pub mod call_seals;
pub mod capabilities;
pub mod client_assertions;
pub mod embedded;
pub mod key_digest;
pub mod master_key;
pub mod nats;
pub mod notary_key;
pub(crate) mod outbound;
pub mod people;
pub mod personal_data;
pub mod postgres;
pub mod postgres_events;
pub(crate) mod provider_calls;
pub mod refresh_tokens;
pub mod system;
pub mod token_keys;
pub mod vault;
pub mod verified_secrets;
