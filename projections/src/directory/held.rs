//! The rows of the directory in memory, noun by noun.

use domain::access_token::AccessTokenEvent;
use domain::event::Event;
use sqlx::PgConnection;

use super::connections::Connections;
use super::deployment::Deployment;
use super::mark::aggregate;
use super::organizations::Organizations;
use super::servers::Servers;
use super::{
    api_keys, clients, connections, deployment, grants, instances, organizations as orgs, servers, users,
};
use crate::projection::{Boxed, Poison, Rows};
use crate::recorded::Foldable;
use crate::rows::{Table, WriteError};

/// Rows of all thirteen tables.
#[derive(Debug, Default)]
pub(super) struct DirectoryRows {
    organizations: Organizations,
    users: Table<users::UserRow>,
    servers: Servers,
    connections: Connections,
    instances: Table<instances::InstanceRow>,
    api_keys: Table<api_keys::ApiKeyRow>,
    clients: Table<clients::ClientRow>,
    grants: Table<grants::GrantRow>,
    deployment: Deployment,
}

/// Does one thing with every table.
macro_rules! every_table {
    ($rows:ident, ($($mutable:tt)?) $table:ident => $do:expr) => {{
        { let $table = &$($mutable)? $rows.organizations.table; $do }
        { let $table = &$($mutable)? $rows.organizations.members; $do }
        { let $table = &$($mutable)? $rows.users; $do }
        { let $table = &$($mutable)? $rows.servers.table; $do }
        { let $table = &$($mutable)? $rows.connections.table; $do }
        { let $table = &$($mutable)? $rows.instances; $do }
        { let $table = &$($mutable)? $rows.api_keys; $do }
        { let $table = &$($mutable)? $rows.clients; $do }
        { let $table = &$($mutable)? $rows.grants; $do }
        { let $table = &$($mutable)? $rows.deployment.administrators; $do }
        { let $table = &$($mutable)? $rows.deployment.maintenance; $do }
        { let $table = &$($mutable)? $rows.deployment.announcements; $do }
        { let $table = &$($mutable)? $rows.deployment.links; $do }
    }};
}

impl Rows for DirectoryRows {
    fn want(&mut self, event: &Foldable, fact: &Event) {
        if let Event::Deployment(fact) = fact {
            return self.deployment.want(event, fact);
        }
        // Without an id that rows have there is no row; the fold says so.
        let Some(id) = aggregate(event) else { return };
        match fact {
            Event::Organization(fact) => self.organizations.want(id, fact),
            Event::User(_) => self.users.want(id),
            Event::Client(_) => self.clients.want(id),
            Event::Grant(_) => self.grants.want(id),
            Event::ApiKey(_) => self.api_keys.want(id),
            Event::Server(fact) => self.servers.want(id, fact),
            Event::Connection(_) => self.connections.table.want(id),
            Event::Instance(_) => self.instances.want(id),
            // The first is above; no listing shows the others, which are gone in minutes.
            Event::Deployment(_) | Event::AccessToken(_) => {}
        }
    }

    fn load<'a>(&'a mut self, connection: &'a mut PgConnection) -> Boxed<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            self.organizations.table.load(connection).await?;
            self.organizations.members.load(connection).await?;
            self.users.load(connection).await?;
            let moving = self.servers.load(connection).await?;
            self.connections.load(connection, moving).await?;
            self.instances.load(connection).await?;
            self.api_keys.load(connection).await?;
            self.clients.load(connection).await?;
            self.grants.load(connection).await?;
            self.deployment.load(connection).await
        })
    }

    fn fold(&mut self, event: &Foldable, fact: &Event) -> Result<(), Poison> {
        match fact {
            Event::Organization(fact) => orgs::fold(&mut self.organizations, event, fact),
            Event::User(fact) => users::fold(&mut self.users, event, fact),
            Event::Client(fact) => clients::fold(&mut self.clients, event, fact),
            Event::Grant(fact) => grants::fold(&mut self.grants, event, fact),
            Event::AccessToken(AccessTokenEvent::Revoked { .. }) => Ok(()), // as above
            Event::ApiKey(fact) => api_keys::fold(&mut self.api_keys, event, fact),
            Event::Server(fact) => servers::fold(&mut self.servers, &mut self.connections, event, fact),
            Event::Connection(fact) => connections::fold(&mut self.connections, event, fact),
            Event::Instance(fact) => instances::fold(&mut self.instances, event, fact),
            Event::Deployment(fact) => deployment::fold(&mut self.deployment, event, fact),
        }
    }

    fn write<'a>(&'a mut self, connection: &'a mut PgConnection) -> Boxed<'a, Result<(), WriteError>> {
        Box::pin(async move {
            every_table!(self, (mut) table => table.write(connection).await?);
            Ok(())
        })
    }

    fn copy<'a>(&'a mut self, connection: &'a mut PgConnection) -> Boxed<'a, Result<(), WriteError>> {
        Box::pin(async move {
            every_table!(self, (mut) table => table.copy(connection).await?);
            Ok(())
        })
    }

    fn count(&self) -> usize {
        let mut count = 0;
        every_table!(self, () table => count += table.len());
        count
    }
}
