//! `.../members`: what the members of an instance with several connections are called.

use commands::Ports;
use commands::instance::NameMembers;
use domain::instance::MemberNames;
use domain::value::InstanceId;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::ask::{Answered, Asker, Within};
use crate::admin::shapes::Changed;
use crate::admin::{Command, Path};

/// Other names.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInstanceMemberNames)]
pub(super) struct NewMemberNames {
    /// The name of each connection: 1 to 24 of a-z, 0-9 and -. What names tools (`{member}__{tool}`), as scopes and `tools` do, goes by the new ones at once.
    #[schema(value_type = BTreeMap<Uuid, String>)]
    pub(super) members: MemberNames,
}

pub(super) async fn name_members<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, instance)): Within<InstanceId>,
    Command { body: NewMemberNames { members: names }, order }: Command<NewMemberNames>,
) -> Answered<Changed> {
    asker.change(order, &NameMembers { organization, instance, names }).await
}
