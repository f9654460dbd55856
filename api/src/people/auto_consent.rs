//! Auto consent: a demonstration that was started so signs its user in without a page, for black-box tools that cannot fill one in.
//!
//! The session says how it began, and what is done in it stands in the log under the credential `auto_consent`. Where Sekisho was not started so,
//! nothing in here is reached, and sessions that were begun so before are none.

use commands::{Entropy as _, Ports};
use domain::policy::Standing;

use super::cookie::VisitToken;
use super::sessions::{self, Begun, Method};
use super::verify::owner_of;
use super::visitor::unavailable;
use super::{People, SignedIn, Visitor};
use crate::config::AutoConsent;
use crate::pages::Fault;

impl<P: Ports + 'static> People<P> {
    /// Whether this browser is signed in as soon as it asks for something that can be read.
    pub(crate) fn signs_in_unasked(&self, visitor: &Visitor) -> bool {
        self.auto_consent.is_some() && visitor.is_at_home()
    }

    /// Signs in whoever is not asked, or answers the visitor as they came.
    pub(crate) async fn sign_in_unasked(&self, visitor: Visitor) -> Result<Result<SignedIn, Visitor>, Fault> {
        let Some(AutoConsent { email }) = self.auto_consent.as_ref().filter(|_| visitor.is_at_home()) else {
            return Ok(Err(visitor));
        };
        let index = self.digests.keyed("email", email.as_str());
        let user = owner_of(&self.pool, &index).await.map_err(|error| unavailable(&error))?;
        let view = self.deciding.fresh().ok_or(Fault::Unavailable)?;
        let Some(user) = user.filter(|user| view.user(*user) == Standing::Active) else {
            return Ok(Err(visitor));
        };
        let (token, id) = (VisitToken::draw(self.ports.entropy()), self.ports.entropy().id());
        let begun = Begun { id, user, method: Method::AutoConsent, proved_at: None };
        let stored = sessions::begin(&self.pool, (&visitor.token, &token), begun, visitor.agent()).await;
        stored.map_err(|error| unavailable(&error))?;
        let session = sessions::find(&self.pool, &token).await.map_err(|error| unavailable(&error))?;
        tracing::info!(user.id = %user, session.id = %id, "signed in without being asked");
        let session = session.ok_or(Fault::Unavailable)?;
        Ok(Ok(visitor.with_session(token, session)))
    }
}
