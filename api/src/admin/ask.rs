//! How handlers ask: who asks and what of, and the three shapes of an answer.

use axum::Json;
use axum::extract::FromRequestParts;
use commands::{Actor, Authority, Order, Ports, UseCase};
use domain::value::{OrganizationId, UserId};
use http::StatusCode;
use http::request::Parts;

use super::answer::Written;
use super::shapes::Changed;
use super::{Admin, Path};
use crate::problem::Problem;

/// The ids of something below an organization. The organization comes first, as in every query and every use case.
pub(super) type Within<T> = Path<(OrganizationId, T)>;

/// What a command answers.
pub(super) type Answered<T> = Result<Written<T>, Problem>;

/// What a read answers.
pub(super) type Found<T> = Result<Json<T>, Problem>;

/// Somebody who was let through to a handler, and the deployment that they ask.
pub(super) struct Asker<P> {
    /// Who asks.
    pub(super) actor: Actor,
    /// What is asked.
    pub(super) admin: Admin<P>,
}

impl<P: Send + Sync> FromRequestParts<Admin<P>> for Asker<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin<P>) -> Result<Self, Problem> {
        // The check in front of every handler leaves it there; without it nobody was let through.
        let actor = parts.extensions.get::<Actor>().cloned().ok_or_else(|| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not-admitted", "this route lets nobody through")
        })?;
        Ok(Self { actor, admin: admin.clone() })
    }
}

impl<P> Asker<P> {
    /// The user who asks.
    pub(super) fn user(&self) -> Result<UserId, Problem> {
        self.actor.user().ok_or_else(|| Problem::not_found("user behind this credential"))
    }

    /// The organization that they ask in.
    pub(super) fn organization(&self) -> Result<OrganizationId, Problem> {
        match self.actor.authority {
            Authority::Member { organization, .. } => Ok(organization),
            Authority::Administrator { .. }
            | Authority::Founder
            | Authority::User { .. }
            | Authority::Client { .. }
            | Authority::Server => Err(Problem::not_found("organization")),
        }
    }
}

impl<P: Ports + 'static> Asker<P> {
    /// Asks for something, and puts what comes back into the shape of the API.
    pub(super) async fn ask<U: UseCase, T>(
        &self,
        order: Order,
        use_case: &U,
        shape: impl FnOnce(U::Answer) -> T,
    ) -> Answered<T> {
        Ok(self.admin.carry_out(&self.actor, order, use_case).await?.map(shape))
    }

    /// Asks for a change that has nothing to tell but that it happened.
    pub(super) async fn change<U: UseCase<Answer = ()>>(
        &self,
        order: Order,
        use_case: &U,
    ) -> Answered<Changed> {
        self.ask(order, use_case, |()| Changed {}).await
    }
}

/// The row in the shape of the API, or that there is none.
pub(super) fn found<R, T>(row: Option<R>, noun: &str, shape: impl FnOnce(R) -> T) -> Found<T> {
    row.map(|row| Json(shape(row))).ok_or_else(|| Problem::not_found(noun))
}
