//! Asking an upstream that is authorized by OAuth: one that refuses a token has done nothing, so it may be asked once more with another.

use domain::value::{AuthorizationId, ProviderScope};
use http::StatusCode;
use mcp::challenge::BearerChallenge;
use mcp::memory::ByteBudget;
use mcp::upstream::{UpstreamError, UpstreamRequest, UpstreamResponse};

use super::Gateway;
use super::breakers::{Leave, Repeat};
use super::refusal::Refusal;
use super::route::Destination;

impl Gateway {
    /// Asks. A token that is refused is renewed, and the request repeated once, whatever it is: 401 says that it was not carried out
    /// (RFC 9110, 15.5.2). A wish for more scopes is noted, and led nowhere by itself: a person must allow them.
    pub(super) async fn ask(
        &self,
        leave: Leave<'_>,
        destination: &Destination,
        request: UpstreamRequest,
        (memory, repeat): (&ByteBudget, Repeat),
    ) -> Result<UpstreamResponse, Refusal> {
        self.try_ask(leave, destination, request, (memory, repeat)).await?.map_err(Refusal::upstream)
    }

    /// The same for whoever learns something from an upstream that does not answer.
    pub(super) async fn try_ask(
        &self,
        leave: Leave<'_>,
        destination: &Destination,
        request: UpstreamRequest,
        (memory, repeat): (&ByteBudget, Repeat),
    ) -> Result<Result<UpstreamResponse, UpstreamError>, Refusal> {
        let Some(authorization) = destination.connection.authorization_for(&destination.server) else {
            return Ok(leave.send(&self.0.upstream, request, memory, repeat).await);
        };
        let mut again = request.clone();
        let answer = match leave.send(&self.0.upstream, request, memory, repeat).await {
            Err(UpstreamError::Unauthorized) => {
                let connection = destination.connection_id;
                self.0.credentials.replace(connection, authorization, &mut again.headers).await?;
                let leave = self.0.breakers.leave(destination)?;
                leave.send(&self.0.upstream, again, memory, Repeat::Never).await
            }
            answer => answer,
        };
        match answer {
            Err(UpstreamError::Unauthorized) => Err(self.0.credentials.needed(destination.connection_id)),
            Err(error) => Ok(Err(error)),
            Ok(answer) => self.must_be_enough(destination, authorization, answer).await.map(Ok),
        }
    }

    async fn must_be_enough(
        &self,
        destination: &Destination,
        authorization: AuthorizationId,
        answer: UpstreamResponse,
    ) -> Result<UpstreamResponse, Refusal> {
        if answer.status != StatusCode::FORBIDDEN {
            return Ok(answer);
        }
        let challenge = BearerChallenge::read(&answer.headers).filter(BearerChallenge::wants_scopes);
        let Some(challenge) = challenge else { return Ok(answer) };
        let wanted = challenge.scope.unwrap_or_default();
        let wanted = wanted.split(' ').filter_map(|scope| ProviderScope::parse(scope).ok()).collect();
        Err(self.0.credentials.wanting(destination.connection_id, authorization, wanted).await)
    }
}
