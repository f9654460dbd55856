//! Long stories of deployments, the same at every run: tenants, people, servers, instances and keys come into being, and then change.

use std::collections::HashMap;

use domain::api_key::{ApiKeyEvent, KeyEnvironment};
use domain::connection::{ConnectionEvent, ConnectionOwner};
use domain::event::Event;
use domain::instance::{CallerAuthentication, InstanceEvent};
use domain::organization::{OrganizationEvent, OrganizationKind};
use domain::server::{ServerEvent, Transport, Visibility};
use domain::user::UserEvent;
use domain::value::{
    ConnectionId, DisplayName, EmailAddress, InstanceId, KeyId, OrganizationId, Personal, Role, Scope,
    Scopes, SecretDigest, ServerId, Slug, SubjectId, ToolName, ToolSelection, UpstreamUrl, UserId,
};
use uuid::Uuid;

/// One event and where it belongs.
#[derive(Debug, Clone)]
pub struct Told {
    /// The aggregate.
    pub id: String,
    /// Its number in the aggregate, from 1.
    pub sequence: u64,
    /// Whose it is.
    pub organization: Uuid,
    /// What happened.
    pub fact: Event,
}

/// How many of each noun stand behind a million events.
const ORGANIZATIONS: usize = 1_000;
const USERS: usize = 40_000;
const MEMBERS: usize = 60_000;
const SERVERS: usize = 2_000;
const CONNECTIONS: usize = 4_000;
const INSTANCES: usize = 8_000;
const KEYS: usize = 100_000;

/// Ids of different nouns never meet.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Noun {
    Organization = 1,
    User,
    Server,
    Connection,
    Instance,
    Key,
}

fn id_of(noun: Noun, number: usize) -> Uuid {
    // As spread as real ids are, so that maps and indexes meet them as they meet real ones.
    let mixed = ((number as u64) ^ 0x5555_5555).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Uuid::from_u64_pair(mixed, ((noun as u64) << 56) | number as u64)
}

fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).expect("a name")
}

/// The id of a key of the story.
pub fn key(number: usize) -> Uuid {
    id_of(Noun::Key, number)
}

/// The id of an instance of the story.
pub fn instance(number: usize) -> Uuid {
    id_of(Noun::Instance, number)
}

/// The id of an organization of the story.
pub fn organization(number: usize) -> Uuid {
    id_of(Noun::Organization, number)
}

struct Teller {
    told: Vec<Told>,
    sequences: HashMap<Uuid, u64>,
    chance: u64,
    scale: usize,
    /// What the numbers of its nouns begin with.
    first: usize,
    people: People,
    keys_alive: Vec<bool>,
    members: Vec<bool>,
}

/// What is told of people.
#[derive(Clone, Copy, PartialEq, Eq)]
enum People {
    Named,
    Nameless,
}

/// How many of a noun no story has.
const NOUN_COUNT_MAX: usize = 1_000_000_000;

/// So many events.
pub fn tell(events: usize) -> Vec<Told> {
    Teller::new(events, 0, People::Named).tell_all(events)
}

/// So many events of another story, of which there are many: nothing in one is anything in another. Its people have no names, so that it may
/// stand in a log as it is.
pub fn tell_another(story: usize, events: usize) -> Vec<Told> {
    Teller::new(events, (story + 1) * NOUN_COUNT_MAX, People::Nameless).tell_all(events)
}

/// Everything that there is in a story of a million events, before anything changes.
pub fn beginnings() -> Vec<Told> {
    let mut teller = Teller::new(1_000_000, 0, People::Named);
    teller.beginnings();
    teller.told
}

impl Teller {
    fn new(events: usize, first: usize, people: People) -> Self {
        // Two organizations at least, and all counts exact: nobody is made a member of the same one twice.
        let wanted = (1_000_000 / events).clamp(1, ORGANIZATIONS / 2);
        let scale = (1..=wanted).rev().find(|scale| ORGANIZATIONS.is_multiple_of(*scale)).unwrap_or(1);
        Self {
            told: Vec::with_capacity(events),
            sequences: HashMap::new(),
            chance: 7,
            scale,
            first,
            people,
            keys_alive: vec![true; KEYS / scale],
            members: vec![true; MEMBERS / scale],
        }
    }

    fn tell_all(mut self, events: usize) -> Vec<Told> {
        self.beginnings();
        while self.told.len() < events {
            self.change();
        }
        self.told
    }

    fn id(&self, noun: Noun, number: usize) -> Uuid {
        id_of(noun, self.first + number)
    }

    fn tell(&mut self, id: Uuid, organization: Uuid, fact: impl Into<Event>) {
        let sequence = self.sequences.entry(id).or_default();
        *sequence += 1;
        self.told.push(Told { id: id.to_string(), sequence: *sequence, organization, fact: fact.into() });
    }

    /// A number below a bound, the same at every run.
    fn below(&mut self, bound: usize) -> usize {
        self.chance =
            self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.chance >> 33).unwrap_or_default() % bound.max(1)
    }

    fn some(&mut self, count: usize) -> usize {
        self.below(count / self.scale)
    }

    /// Things belong to organizations in turn.
    fn organization_of(&self, number: usize) -> Uuid {
        self.id(Noun::Organization, number % (ORGANIZATIONS / self.scale))
    }

    fn beginnings(&mut self) {
        let count = |many: usize| many / self.scale;
        let (organizations, users, members) = (count(ORGANIZATIONS), count(USERS), count(MEMBERS));
        let (servers, connections, instances, keys) =
            (count(SERVERS), count(CONNECTIONS), count(INSTANCES), count(KEYS));
        for number in 0..organizations {
            let slug = Slug::parse(&format!("organization-{}", self.first + number)).expect("a slug");
            let fact =
                OrganizationEvent::Created { kind: OrganizationKind::Team, slug, name: name("Acme Tools") };
            self.tell(self.id(Noun::Organization, number), self.id(Noun::Organization, number), fact);
        }
        for number in 0..users {
            let subject = SubjectId::new(self.id(Noun::User, number));
            let named = self.people == People::Named;
            let email = EmailAddress::parse(&format!("person-{number}@example.com")).expect("an address");
            let fact = UserEvent::Registered {
                email: named.then(|| Personal::new(subject, email)),
                name: named.then(|| Personal::new(subject, name("A Person"))),
                picture: None,
                registered_in: None,
            };
            self.tell(self.id(Noun::User, number), self.organization_of(number), fact);
        }
        for number in 0..members {
            self.member(number, |user| OrganizationEvent::MemberAdded { user, role: Role::Member });
        }
        for number in 0..servers {
            let fact = ServerEvent::Registered {
                organization: Some(OrganizationId::new(self.organization_of(number))),
                name: name("Wiki"),
                transport: transport(number),
                credential_fields: Vec::new(),
                visibility: Visibility::Organization,
            };
            self.tell(self.id(Noun::Server, number), self.organization_of(number), fact);
        }
        for number in 0..connections {
            let fact = ConnectionEvent::Created {
                organization: OrganizationId::new(self.organization_of(number)),
                owner: ConnectionOwner::Organization,
                server: ServerId::new(self.id(Noun::Server, number % servers)),
                name: name("Wiki of all"),
            };
            self.tell(self.id(Noun::Connection, number), self.organization_of(number), fact);
        }
        for number in 0..instances {
            let fact = InstanceEvent::Created {
                organization: OrganizationId::new(self.organization_of(number)),
                name: name("Wiki for agents"),
                connections: vec![ConnectionId::new(self.id(Noun::Connection, number % connections))],
                tools: ToolSelection::All,
                authentication: CallerAuthentication::ApiKey,
            };
            self.tell(self.id(Noun::Instance, number), self.organization_of(number), fact);
        }
        for number in 0..keys {
            let fact = self.issued(number, number % users, number % instances);
            self.tell(self.id(Noun::Key, number), self.organization_of(number), fact);
        }
    }

    fn member(&mut self, number: usize, fact: impl FnOnce(UserId) -> OrganizationEvent) {
        let users = USERS / self.scale;
        // The second membership of a person is in another organization than the first.
        let organization = self.organization_of(number + number / users);
        let user = UserId::new(self.id(Noun::User, number % users));
        self.tell(organization, organization, fact(user));
    }

    /// One change, as often as such changes are.
    fn change(&mut self) {
        match self.below(100) {
            0..20 => self.change_membership(),
            20..50 => self.change_key(),
            50..80 => self.change_instance(),
            80..90 => {
                let number = self.some(SERVERS);
                let fact = ServerEvent::Updated {
                    name: name("Wiki 2"),
                    transport: transport(number),
                    credential_fields: Vec::new(),
                    visibility: Visibility::Organization,
                };
                self.tell(self.id(Noun::Server, number), self.organization_of(number), fact);
            }
            _ => {
                let number = self.some(CONNECTIONS);
                let connection = self.id(Noun::Connection, number);
                let version =
                    u32::try_from(self.sequences.get(&connection).copied().unwrap_or(1)).unwrap_or(u32::MAX);
                let fact = ConnectionEvent::SecretsSet { version, fields: std::collections::BTreeSet::new() };
                self.tell(connection, self.organization_of(number), fact);
            }
        }
    }

    fn change_membership(&mut self) {
        let number = self.some(MEMBERS);
        let leaves = self.below(4) == 0;
        let there = self.members.get(number).copied().unwrap_or_default();
        if let Some(member) = self.members.get_mut(number) {
            *member = !(there && leaves);
        }
        self.member(number, |user| match (there, leaves) {
            (true, true) => OrganizationEvent::MemberRemoved { user },
            (true, false) => OrganizationEvent::RoleChanged { user, role: Role::Admin },
            (false, _) => OrganizationEvent::MemberAdded { user, role: Role::Viewer },
        });
    }

    fn change_key(&mut self) {
        let number = self.some(KEYS);
        let alive = self.keys_alive.get(number).copied().unwrap_or_default();
        let fact = if alive && self.below(4) == 0 {
            if let Some(key) = self.keys_alive.get_mut(number) {
                *key = false;
            }
            ApiKeyEvent::Revoked { reason: name("rotated") }
        } else {
            ApiKeyEvent::Renamed { name: name("Nightly") }
        };
        self.tell(self.id(Noun::Key, number), self.organization_of(number), fact);
    }

    fn change_instance(&mut self) {
        let number = self.some(INSTANCES);
        let fact = match self.below(4) {
            0 => InstanceEvent::Stopped {},
            1 => InstanceEvent::Started {},
            2 => InstanceEvent::Renamed { name: name("Wiki") },
            _ => {
                let tools = ["add", "echo", "search", "fetch"].into_iter();
                let tools = tools.map(|tool| ToolName::parse(tool).expect("a tool name")).collect();
                InstanceEvent::ToolsChanged { tools: ToolSelection::Only(tools) }
            }
        };
        self.tell(self.id(Noun::Instance, number), self.organization_of(number), fact);
    }

    fn issued(&self, number: usize, user: usize, instance: usize) -> ApiKeyEvent {
        ApiKeyEvent::Issued {
            organization: OrganizationId::new(self.organization_of(number)),
            key_id: KeyId::parse(&format!("{:022}", self.first + number)).expect("a key id"),
            name: name("Continuous integration"),
            principal: UserId::new(self.id(Noun::User, user)),
            issued_by: UserId::new(self.id(Noun::User, user)),
            instance: Some(InstanceId::new(self.id(Noun::Instance, instance))),
            scopes: std::iter::once(Scope::McpWrite).collect::<Scopes>(),
            digest: SecretDigest::HmacSha256 { pepper: 1, hex: "00ff".repeat(16) },
            expires_at: None,
            environment: KeyEnvironment::Live,
        }
    }
}

fn transport(number: usize) -> Transport {
    let url = format!("https://mcp-{number}.example.com/mcp");
    Transport::Http { url: UpstreamUrl::parse(&url).expect("an address") }
}
