//! The new tables: in a schema of their own, made like the live ones, with indexes only once the rows are in.
//!
//! The connection looks into that schema first, so that the fold need not know where it writes. Its checkpoint and its parked events are
//! there too, until the swap.

use sqlx::{PgConnection, PgPool};

use super::{RebuildError, all, quoted};
use crate::projection::Projection;

/// What a projection writes beside its own tables.
const BOOKS: [&str; 2] = ["projection_checkpoints", "parked_events"];

/// Constraints and indexes of a table, and who may read it, as statements without a schema, so that they get the same names in another.
const FURNISHING: &str = "
    select case when k.oid is null then pg_get_indexdef(i.indexrelid, 0, true)
           else format('alter table %I add constraint %I %s', t.relname, k.conname, pg_get_constraintdef(k.oid)) end
    from pg_index i join pg_class t on t.oid = i.indrelid
    left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = t.oid and k.contype in ('p', 'u', 'x')
    where t.oid = to_regclass($1)
    union all
    select format('grant %s on %I to %s', a.privilege_type, t.relname, coalesce(quote_ident(r.rolname), 'public'))
           || case when a.is_grantable then ' with grant option' else '' end
    from pg_class t cross join aclexplode(t.relacl) a left join pg_roles r on r.oid = a.grantee
    where t.oid = to_regclass($1) and a.grantee <> t.relowner";

/// Views that look through a table.
const VIEWS: &str = "
    select v.oid::regclass::text from pg_depend d join pg_rewrite w on w.oid = d.objid join pg_class v on v.oid = w.ev_class
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = to_regclass($1) and v.oid <> d.refobjid
    limit 1";

/// The new tables, and the connection that writes them.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) connection: PgConnection,
    /// Where the live tables are.
    pub(super) live: String,
    /// Where the new ones are.
    pub(super) schema: String,
    furnishing: Vec<String>,
    tables: &'static [&'static str],
}

impl Beside {
    /// Makes the tables, on a connection that nobody else has.
    pub(super) async fn make(
        pool: &PgPool,
        projection: &dyn Projection,
        schema: &str,
    ) -> Result<Self, RebuildError> {
        Self::make_on(pool.acquire().await?.detach(), projection, schema).await
    }

    /// Makes the tables, in the place of those that a rebuild before left behind.
    pub(super) async fn make_on(
        mut connection: PgConnection,
        projection: &dyn Projection,
        schema: &str,
    ) -> Result<Self, RebuildError> {
        let live: String =
            sqlx::query_scalar("select current_schema()::text").fetch_one(&mut connection).await?;
        let tables = projection.tables();
        let mut furnishing = Vec::new();
        for table in tables {
            let view: Option<String> =
                sqlx::query_scalar(VIEWS).bind(table).fetch_optional(&mut connection).await?;
            if let Some(view) = view {
                return Err(RebuildError::View(view, (*table).to_owned()));
            }
            let statements: Vec<String> =
                sqlx::query_scalar(FURNISHING).bind(table).fetch_all(&mut connection).await?;
            furnishing.extend(statements);
        }
        let (from, to) = (quoted(&live), quoted(schema));
        // Nothing depends on the commits of a build: if they are lost, so is the build.
        let begin = format!(
            "drop schema if exists {to} cascade; create schema {to}; set synchronous_commit = off; set search_path = {to}, {from}"
        );
        all(&mut connection, &begin).await?;
        let bare = "including all excluding indexes";
        let made = tables.iter().map(|table| (*table, bare));
        for (table, like) in made.chain(BOOKS.map(|book| (book, "including all"))) {
            all(&mut connection, &format!("create table {to}.{table} (like {from}.{table} {like})")).await?;
        }
        Ok(Self { connection, live, schema: schema.to_owned(), furnishing, tables })
    }

    /// Gives the tables their indexes, readers and statistics.
    pub(super) async fn index(&mut self) -> Result<(), sqlx::Error> {
        for statement in &self.furnishing {
            all(&mut self.connection, statement).await?;
        }
        for table in self.tables {
            all(&mut self.connection, &format!("analyze {table}")).await?;
        }
        Ok(())
    }
}
