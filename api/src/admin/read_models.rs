//! `/v1/projections`: how far the read models are, and what to do with events that they could not fold. For administrators of the deployment.

use axum::Json;
use axum::extract::State;
use commands::Ports;
use commands::deployment::{RetryParked, SkipParked};
use domain::value::{DisplayName, Position, Scope};
use http::{Method, StatusCode};
use projections::{ParkedEvent, Status};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::ask::{Answered, Asker, Found};
use super::shapes::{Because, Changed};
use super::{Access, Admin, Area, Command, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/projections";
const PARKED: &str = "/v1/projections/{projection}/parked";
const RETRY: &str = "/v1/projections/{projection}/parked/{parked}/retry";
const SKIP: &str = "/v1/projections/{projection}/parked/{parked}/skip";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Administrator(Scope::OrgRead);
    let writes = || Access::Administrator(Scope::OrgWrite);
    Area::new("Read models", "How far the read models are, and what they could not fold.")
        .read::<ReadModels, _, _>(
            ALL,
            reads(),
            "listProjections",
            "Position, lag and parked events of each read model",
            list::<P>,
        )
        .read::<Parked, _, _>(
            PARKED,
            reads(),
            "listParkedEvents",
            "Events that a read model could not fold, and why",
            parked::<P>,
        )
        .change::<Because, Changed, _, _>(
            Method::POST,
            RETRY,
            writes(),
            "retryParkedEvent",
            "Fold a parked event again, and what waits behind it",
            retry::<P>,
        )
        .change::<Because, Changed, _, _>(
            Method::POST,
            SKIP,
            writes(),
            "skipParkedEvent",
            "Leave a parked event out for ever, and fold what waits behind it",
            skip::<P>,
        )
}

/// All read models kept in the database.
#[derive(Debug, Serialize, ToSchema)]
struct ReadModels {
    /// One for each version; while a release is replaced there may be two.
    items: Vec<ReadModel>,
}

/// How far a read model is.
#[derive(Debug, Serialize, ToSchema)]
struct ReadModel {
    /// Its name.
    name: String,
    /// Its version.
    version: i32,
    /// The last event that it has folded.
    position: i64,
    /// Events that it has not folded yet.
    lag_events: i64,
    /// Milliseconds for which the first of these has been in the log.
    lag_milliseconds: i64,
    /// Events that it could not fold.
    parked_events: i64,
}

/// What a read model could not fold.
#[derive(Debug, Serialize, ToSchema)]
struct Parked {
    /// In the order of the log.
    items: Vec<ParkedOne>,
}

/// An event that waits.
#[derive(Debug, Serialize, ToSchema)]
struct ParkedOne {
    /// Its place in the log.
    event: i64,
    /// Type of its aggregate.
    aggregate_type: String,
    /// Id of its aggregate.
    aggregate_id: String,
    /// Why it waits.
    reason: String,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
}

impl From<Status> for ReadModel {
    fn from(status: Status) -> Self {
        let Status { name, version, position, lag_events, lag_millis, parked } = status;
        Self { name, version, position, lag_events, lag_milliseconds: lag_millis, parked_events: parked }
    }
}

impl From<ParkedEvent> for ParkedOne {
    fn from(event: ParkedEvent) -> Self {
        let ParkedEvent { position, aggregate_type, aggregate_id, reason, parked_at } = event;
        Self { event: position, aggregate_type, aggregate_id, reason, since: parked_at }
    }
}

async fn list<P: Ports + 'static>(State(admin): State<Admin<P>>) -> Found<ReadModels> {
    let found = projections::status(&admin.pool).await?;
    Ok(Json(ReadModels { items: found.into_iter().map(ReadModel::from).collect() }))
}

async fn parked<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path(name): Path<String>,
) -> Found<Parked> {
    let known = projections::all().iter().any(|projection| projection.name() == name);
    if !known {
        return Err(Problem::not_found("read model"));
    }
    let found = projections::parked_events(&admin.pool, &name).await?;
    Ok(Json(Parked { items: found.into_iter().map(ParkedOne::from).collect() }))
}

async fn retry<P: Ports + 'static>(
    asker: Asker<P>,
    Path(place): Path<(String, String)>,
    Command { body: Because { reason }, order }: Command<Because>,
) -> Answered<Changed> {
    let (projection, position) = first_of_its_aggregate(&asker.admin, place).await?;
    asker.change(order, &RetryParked { projection, position, reason }).await
}

async fn skip<P: Ports + 'static>(
    asker: Asker<P>,
    Path(place): Path<(String, String)>,
    Command { body: Because { reason }, order }: Command<Because>,
) -> Answered<Changed> {
    let (projection, position) = first_of_its_aggregate(&asker.admin, place).await?;
    asker.change(order, &SkipParked { projection, position, reason }).await
}

/// Only a parked event that waits behind no other can be retried or skipped: the others follow it by themselves.
async fn first_of_its_aggregate<P: Ports + 'static>(
    admin: &Admin<P>,
    (name, position): (String, String),
) -> Result<(DisplayName, Position), Problem> {
    let unknown = || Problem::not_found("parked event");
    let wanted: i64 = position.parse().map_err(|_| unknown())?;
    let found = projections::parked_events(&admin.pool, &name).await?;
    let event = found.iter().find(|event| event.position == wanted).ok_or_else(unknown)?;
    let same = |other: &&ParkedEvent| {
        (&other.aggregate_type, &other.aggregate_id) == (&event.aggregate_type, &event.aggregate_id)
    };
    match found.iter().find(same) {
        Some(first) if first.position < wanted => Err(Problem::new(
            StatusCode::CONFLICT,
            "parked-behind",
            format!(
                "it waits behind the event at {}; decide about that one, and this one follows",
                first.position
            ),
        )),
        Some(_) | None => {
            let name = DisplayName::parse(&name).map_err(|_| unknown())?;
            Ok((name, Position::new(wanted.unsigned_abs())))
        }
    }
}
