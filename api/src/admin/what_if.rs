//! `/v1/authz/what-if`: which calls would come out differently, were some commands carried out.

use axum::Json;
use commands::Ports;
use commands::what_if::{Extent, Impossible, Proposal};
use domain::instance::CallerAuthentication;
use domain::value::{
    ApiKeyId, ClientId, ConnectionId, GrantId, InstanceId, OrganizationId, Role, Scope, ServerId, Timestamp,
    UserId,
};
use http::StatusCode;
use projections::LogReader;
use projections::calls::took_too_long;
use projections::history::History;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::admit::Admission;
use super::ask::{Asker, Found};
use super::shapes::{moment, one_of};
use super::tools::Tools;
use super::{Access, Area, Command};
use crate::problem::Problem;
use crate::what_if::{Answering, Asking, WhatIf, WhatIfError, what_if};

/// Commands of one question.
const COMMANDS_MAX: usize = 50;
/// Days of calls that one question is about.
const DAYS_MAX: u16 = 92;
const DAYS_DEFAULT: u16 = 30;
const CHANGES_MAX: u16 = 1_000;
const CHANGES_DEFAULT: u16 = 100;
const DAY_SECONDS: i64 = 86_400;

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let about = "Which calls of the last days would come out differently, were some commands carried out, without carrying them out. Two decisions about each \
                 call are compared: the one that the gateway would make now, and the one that it would make after the commands. Both are about the call \
                 as it was asked, whatever was decided when it came. A key asks about its organization, that of an administrator of the deployment about \
                 every one.";
    Area::new("What if", about).ask::<Question, WhatIf, _, _>(
        "/v1/authz/what-if",
        Access::Key(Scope::AuditRead),
        "whatIf",
        "What some commands would change for the calls of the last days; nothing is written",
        post::<P>,
    )
}

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WhatIfQuestion)]
struct Question {
    /// The commands, 1 to 50, each decided after those before it. One that is impossible is refused as when it is sent, with its number as `command`.
    commands: Vec<ProposedCommand>,
    /// In whose things and among whose calls; left out, the key's own organization, or for an administrator of the deployment every one.
    #[schema(value_type = Option<Uuid>)]
    organization: Option<OrganizationId>,
    /// Calls of so many days until now, 1 to 92; left out, 30. Not beside `from` and `to`.
    days: Option<u16>,
    /// Calls that began then or later.
    #[serde(default, deserialize_with = "moment")]
    #[schema(value_type = Option<OffsetDateTime>)]
    from: Option<Timestamp>,
    /// Calls that began before; left out, now.
    #[serde(default, deserialize_with = "moment")]
    #[schema(value_type = Option<OffsetDateTime>)]
    to: Option<Timestamp>,
    /// Entries of `changes` that are shown, 1 to 1000; left out, 100.
    limit: Option<u16>,
}

/// A command that is only thought of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
enum ProposedCommand {
    /// Revoke an API key.
    RevokeApiKey {
        /// The key's id.
        #[schema(value_type = Uuid)]
        api_key: ApiKeyId,
    },
    /// Take back what a user granted to a client.
    RevokeGrant {
        /// The grant's id.
        #[schema(value_type = Uuid)]
        grant: GrantId,
    },
    /// Disable a client.
    DisableClient {
        /// The client.
        #[schema(value_type = Uuid)]
        client: ClientId,
    },
    /// Enable a client.
    EnableClient {
        /// The client.
        #[schema(value_type = Uuid)]
        client: ClientId,
    },
    /// Give a member another role.
    ChangeRole {
        /// The member.
        #[schema(value_type = Uuid)]
        user: UserId,
        /// The role.
        #[schema(schema_with = role)]
        role: Role,
    },
    /// Let a member go.
    RemoveMember {
        /// The member.
        #[schema(value_type = Uuid)]
        user: UserId,
    },
    /// Suspend the organization.
    SuspendOrganization {},
    /// Delete the organization.
    DeleteOrganization {},
    /// Suspend a user.
    SuspendUser {
        /// The user.
        #[schema(value_type = Uuid)]
        user: UserId,
    },
    /// Resume a user.
    ResumeUser {
        /// The user.
        #[schema(value_type = Uuid)]
        user: UserId,
    },
    /// Delete a user.
    DeleteUser {
        /// The user.
        #[schema(value_type = Uuid)]
        user: UserId,
    },
    /// Expose other tools.
    ChangeTools {
        /// The instance.
        #[schema(value_type = Uuid)]
        instance: InstanceId,
        /// Which tools it exposes.
        tools: Tools,
    },
    /// Let callers prove in another way who they are.
    ChangeAuthentication {
        /// The instance.
        #[schema(value_type = Uuid)]
        instance: InstanceId,
        /// How callers prove who they are.
        #[schema(schema_with = authentication)]
        authentication: CallerAuthentication,
    },
    /// Start an instance.
    StartInstance {
        /// The instance.
        #[schema(value_type = Uuid)]
        instance: InstanceId,
    },
    /// Stop an instance.
    StopInstance {
        /// The instance.
        #[schema(value_type = Uuid)]
        instance: InstanceId,
    },
    /// Delete an instance.
    DeleteInstance {
        /// The instance.
        #[schema(value_type = Uuid)]
        instance: InstanceId,
    },
    /// Remove a connection.
    RemoveConnection {
        /// The connection.
        #[schema(value_type = Uuid)]
        connection: ConnectionId,
    },
    /// Retire a server.
    RetireServer {
        /// The server.
        #[schema(value_type = Uuid)]
        server: ServerId,
    },
    /// Start a maintenance. Calls whose address passed one pass this one too, no others.
    StartMaintenance {},
    /// End the maintenance.
    EndMaintenance {},
}

fn role() -> Object {
    one_of(Role::ALL.map(|role| role.as_str()), "What the member would be")
}

fn authentication() -> Object {
    one_of(
        CallerAuthentication::ALL.map(CallerAuthentication::as_str),
        "How callers would prove who they are",
    )
}

impl From<ProposedCommand> for Proposal {
    fn from(command: ProposedCommand) -> Self {
        use ProposedCommand as Asked;
        match command {
            Asked::RevokeApiKey { api_key } => Self::RevokeApiKey(api_key),
            Asked::RevokeGrant { grant } => Self::RevokeGrant(grant),
            Asked::DisableClient { client } => Self::DisableClient(client),
            Asked::EnableClient { client } => Self::EnableClient(client),
            Asked::ChangeRole { user, role } => Self::ChangeRole(user, role),
            Asked::RemoveMember { user } => Self::RemoveMember(user),
            Asked::SuspendOrganization {} => Self::SuspendOrganization,
            Asked::DeleteOrganization {} => Self::DeleteOrganization,
            Asked::SuspendUser { user } => Self::SuspendUser(user),
            Asked::ResumeUser { user } => Self::ResumeUser(user),
            Asked::DeleteUser { user } => Self::DeleteUser(user),
            Asked::ChangeTools { instance, tools: Tools(tools) } => Self::ChangeTools(instance, tools),
            Asked::ChangeAuthentication { instance, authentication } => {
                Self::ChangeAuthentication(instance, authentication)
            }
            Asked::StartInstance { instance } => Self::StartInstance(instance),
            Asked::StopInstance { instance } => Self::StopInstance(instance),
            Asked::DeleteInstance { instance } => Self::DeleteInstance(instance),
            Asked::RemoveConnection { connection } => Self::RemoveConnection(connection),
            Asked::RetireServer { server } => Self::RetireServer(server),
            Asked::StartMaintenance {} => Self::StartMaintenance,
            Asked::EndMaintenance {} => Self::EndMaintenance,
        }
    }
}

impl Question {
    /// The time that is asked about.
    fn time(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
        let wrong = |detail: String| Problem::bad_request("bad-question", detail);
        let to = self.to.unwrap_or(now);
        let from = match (self.days, self.from) {
            (Some(_), Some(_)) => return Err(wrong("days and from exclude each other".to_owned())),
            (days, None) => to.plus_seconds(-DAY_SECONDS * i64::from(days.unwrap_or(DAYS_DEFAULT))),
            (None, Some(from)) => from,
        };
        let longest = to.plus_seconds(-DAY_SECONDS * i64::from(DAYS_MAX));
        if self.days == Some(0) || from >= to || from < longest {
            return Err(wrong(format!(
                "a question is about the calls of 1 to {DAYS_MAX} days, from before to"
            )));
        }
        Ok((from, to))
    }

    fn asking(self, extent: Extent, now: Timestamp) -> Result<Asking, Problem> {
        let (from, to) = self.time(now)?;
        let limit = self.limit.unwrap_or(CHANGES_DEFAULT);
        if !(1..=CHANGES_MAX).contains(&limit) {
            return Err(Problem::bad_request("bad-limit", format!("limit is 1 to {CHANGES_MAX}")));
        }
        if !(1..=COMMANDS_MAX).contains(&self.commands.len()) {
            let detail = format!("a question has 1 to {COMMANDS_MAX} commands");
            return Err(Problem::bad_request("bad-question", detail));
        }
        let proposals = self.commands.into_iter().map(Proposal::from).collect();
        Ok(Asking { extent, proposals, from, to, changes_max: limit.into() })
    }
}

impl From<Impossible> for Problem {
    fn from(Impossible { number, refused }: Impossible) -> Self {
        Self::from(refused).with("command", number.into())
    }
}

impl From<WhatIfError> for Problem {
    fn from(error: WhatIfError) -> Self {
        let detail = error.to_string();
        match error {
            WhatIfError::Impossible(impossible) => impossible.into(),
            WhatIfError::NotCurrent => Self::new(StatusCode::SERVICE_UNAVAILABLE, "view-not-current", detail),
            WhatIfError::Calls(error) if took_too_long(&error) => Self::too_many_records(),
            WhatIfError::Calls(error) => error.into(),
            WhatIfError::Log(error) => error.into(),
        }
    }
}

async fn post<P: Ports + 'static>(
    Asker { actor, admin }: Asker<P>,
    admission: Admission,
    Command { body, .. }: Command<Question>,
) -> Found<WhatIf> {
    let everybody = admission.sees_everything(&admin)?;
    let own = admission.organization();
    if !everybody && body.organization.is_some_and(|named| named != own) {
        return Err(Problem::not_found("organization"));
    }
    let organization = body.organization.or((!everybody).then_some(own));
    let now = admin.clock.now();
    let asking = body.asking(Extent { organization, everybody }, now)?;
    let _turn = admin.places.count().await?;
    let history = History::new(LogReader::new(admin.pool.clone()));
    let (ports, view, pool) = (&*admin.ports, &admin.view, &admin.pool);
    let answering = Answering { ports, view, history: &history, pool, now };
    Ok(Json(what_if(&answering, &actor, &asking).await?))
}
