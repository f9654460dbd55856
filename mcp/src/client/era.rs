//! Finding out which era the server speaks.

use serde_json::{Map, json};

use super::{Client, ClientError};
use crate::spoken::{Spoken, agreed, opening, supports_modern};
use crate::upstream::UpstreamError;

impl Client {
    /// Whether the server speaks the newest revision.
    pub(super) async fn is_modern(&mut self) -> Result<bool, ClientError> {
        match self.ask("server/discover", Map::new(), &mut |_| ()).await {
            Ok(answer) => Ok(supports_modern(&answer)),
            Err(ClientError::Refused(refused)) if refused.is_final() => Err(ClientError::Refused(refused)),
            Err(ClientError::Refused(_) | ClientError::Upstream(UpstreamError::BadAnswer(_))) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn shake_hands(&mut self) -> Result<(), ClientError> {
        self.spoken = Spoken::Opening;
        let (answer, session) = self.open(opening(self.name)).await?;
        let revision = agreed(&answer).ok_or(ClientError::NoCommonRevision)?;
        self.spoken = Spoken::Legacy { revision, session };
        self.tell(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await
    }
}
