//! Connections, with secrets and with what authorization servers gave out for them.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{ACME, BEN, SERVER, Sample, authorization_server, moment, name};
use crate::connection::{AuthorizationEnd, ConnectionEvent, ConnectionOwner};
use crate::server::UpstreamGrant;
use crate::value::{AuthorizationId, FieldName, ProviderScope};

const AUTHORIZATION: AuthorizationId =
    AuthorizationId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_000b));

fn wiki_scopes() -> BTreeSet<ProviderScope> {
    ["wiki:read", "wiki:write"].map(|text| ProviderScope::parse(text).unwrap()).into()
}

pub(in crate::event) fn connection() -> Vec<Sample<ConnectionEvent>> {
    let created = |owner| ConnectionEvent::Created {
        organization: ACME,
        owner,
        server: SERVER,
        name: name("Wiki of all"),
    };
    let fields = ["tenant", "token"].into_iter().map(|text| FieldName::parse(text).unwrap());
    let mut samples = vec![
        ("", created(ConnectionOwner::Organization)),
        ("user", created(ConnectionOwner::User(BEN))),
        ("", ConnectionEvent::Renamed { name: name("Wiki") }),
        ("", ConnectionEvent::SecretsSet { version: 1, fields: fields.collect() }),
        (
            "",
            ConnectionEvent::Authorized {
                authorization: AUTHORIZATION,
                grant: UpstreamGrant::AuthorizationCode,
                by: Some(BEN),
                issuer: authorization_server(),
                scopes: wiki_scopes(),
                renewable: true,
                expires_at: Some(moment()),
            },
        ),
        (
            "client-credentials",
            ConnectionEvent::Authorized {
                authorization: AUTHORIZATION,
                grant: UpstreamGrant::ClientCredentials,
                by: None,
                issuer: authorization_server(),
                scopes: BTreeSet::new(),
                renewable: true,
                expires_at: None,
            },
        ),
        ("", ConnectionEvent::ScopesWanted { authorization: AUTHORIZATION, scopes: wiki_scopes() }),
        ("", ConnectionEvent::AuthorizationWithdrawn { authorization: AUTHORIZATION }),
        ("", ConnectionEvent::Removed {}),
    ];
    let lost = |reason: AuthorizationEnd| {
        (reason.as_str(), ConnectionEvent::AuthorizationLost { authorization: AUTHORIZATION, reason })
    };
    samples.extend(AuthorizationEnd::ALL.map(lost));
    samples
}
