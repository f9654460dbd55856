//! What a client asks about itself. That it holds its registration access token is what the edge saw; that token ends with the client.

use domain::value::ClientId;

use crate::{Actor, Authority, Refused};

/// Refused for everybody but the client itself.
pub(super) fn must_be(client: ClientId, actor: &Actor) -> Result<(), Refused> {
    match actor.authority {
        Authority::Client { client: asking } if asking == client => Ok(()),
        Authority::Client { .. }
        | Authority::User { .. }
        | Authority::Member { .. }
        | Authority::Administrator { .. }
        | Authority::Founder
        | Authority::Server => Err(Refused::Forbidden("a client does this itself")),
    }
}
