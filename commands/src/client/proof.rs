//! What a client is to prove itself with, and what of it is kept.

use domain::client::{ClientAuthentication, ClientKind};
use domain::value::{ClientKeySource, IssuedSecret};

use super::fresh_secret::{FreshSecret, fresh_secret};
use crate::{Ports, Refused, Unit};

/// What a client is to prove itself with (RFC 6749, 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Nothing: it runs where its user can read everything.
    Nothing,
    /// A secret of ours, in the header.
    SecretBasic,
    /// A secret of ours, in the body.
    SecretPost,
    /// Keys of its own.
    Keys(ClientKeySource),
}

/// The same, as the client is registered with it.
pub(super) struct Prepared {
    pub(super) kind: ClientKind,
    pub(super) authentication: Option<ClientAuthentication>,
    /// To be shown once, where there is one.
    pub(super) secret: Option<IssuedSecret>,
}

impl Proof {
    pub(super) async fn prepare<P: Ports>(
        &self,
        ports: &P,
        unit: &Unit<'_, P::Log>,
    ) -> Result<Prepared, Refused> {
        let authentication = match self {
            Self::Nothing => {
                return Ok(Prepared { kind: ClientKind::Public, authentication: None, secret: None });
            }
            Self::Keys(keys) => {
                let way = ClientAuthentication::PrivateKeyJwt;
                return Ok(Prepared { kind: keys.clone().into(), authentication: Some(way), secret: None });
            }
            Self::SecretBasic => None, // what a secret is for when nothing is said
            Self::SecretPost => Some(ClientAuthentication::SecretPost),
        };
        let FreshSecret { secret, digest } = fresh_secret(ports, unit).await?;
        Ok(Prepared {
            kind: ClientKind::Confidential { secret: digest },
            authentication,
            secret: Some(secret),
        })
    }
}
