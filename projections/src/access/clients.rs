//! The OAuth clients of a view: what they may ask for and how they prove themselves. Which of them nobody ever let act is known beside them.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::client::{ClientAbout, ClientAuthentication, ClientDocument, ClientEvent, ClientKind, GrantType};
use domain::policy::Standing;
use domain::value::{
    ClientId, ClientKeySource, ClientUrl, DisplayName, OrganizationId, RedirectUri, Scopes, SecretDigest,
    Timestamp,
};

use super::AccessView;
use super::oauth::Root;

/// An OAuth client.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// Its id; as text the `client_id` of OAuth.
    pub id: ClientId,
    /// Whose it is; `None` for one that belongs to nobody in particular.
    pub organization: Option<OrganizationId>,
    /// The name shown at consent.
    pub name: DisplayName,
    /// `Suspended` when disabled, `Ended` when deleted.
    pub standing: Standing,
    /// How it proves itself; `None` for a public one.
    pub authentication: Option<ClientAuthentication>,
    /// Its secrets, the newest first.
    pub secrets: Vec<HeldSecret>,
    /// Where browsers may be sent back to.
    pub redirect_uris: BTreeSet<RedirectUri>,
    /// Those that it named; `None` when it named none.
    pub named_grant_types: Option<BTreeSet<GrantType>>,
    /// The most it can be granted.
    pub scopes: Scopes,
    /// The keys that it proves itself with, or where they are, where it has any.
    pub keys: Option<ClientKeySource>,
    /// What it manages its registration with, where it registered itself.
    pub own: Option<Arc<OwnRegistration>>,
    /// Where its document is, where its identifier is that.
    pub document: Option<Arc<ClientUrl>>,
}

/// What is known of a client that registered itself (RFC 7591).
#[derive(Debug, Clone, PartialEq)]
pub struct OwnRegistration {
    /// What is kept of its registration access token; `None` since whoever answers for it revoked that, or changed it themselves.
    pub token: Option<SecretDigest>,
    /// Since when it is there.
    pub since: Timestamp,
    /// What it says of itself.
    pub about: ClientAbout,
}

/// What is kept of a client's secret.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldSecret {
    /// Which of the client's secrets, counted from 0: what was checked of another one says nothing about this.
    pub number: u32,
    /// Digest of it.
    pub digest: SecretDigest,
    /// How long it still works; `None` while it is the current one.
    pub until: Option<Timestamp>,
}

impl Client {
    /// The one that a document describes, as it would be if somebody let it act.
    pub fn described(id: ClientId, document: ClientDocument) -> Self {
        let ClientDocument { url, name, kind, redirect_uris, scopes, grant_types } = document;
        let client = Self::new(id, name, kind, None, redirect_uris, scopes);
        Self { named_grant_types: Some(grant_types), document: Some(Arc::new(url)), ..client }
    }

    /// Whether it says itself where browsers are sent, and nobody here stands for that: it registered itself, or a document of its own describes it.
    pub const fn is_of_strangers(&self) -> bool {
        self.own.is_some() || self.document.is_some()
    }

    /// The `client_id` of OAuth.
    pub fn oauth_id(&self) -> String {
        match &self.document {
            Some(url) => url.as_str().to_owned(),
            None => self.id.to_string(),
        }
    }

    /// By which grants it gets tokens.
    pub fn grant_types(&self) -> BTreeSet<GrantType> {
        let by_default =
            || GrantType::by_default(self.authentication.is_some(), !self.redirect_uris.is_empty());
        self.named_grant_types.clone().unwrap_or_else(by_default)
    }

    /// The secrets that work at this moment.
    pub fn secrets_at(&self, now: Timestamp) -> impl Iterator<Item = &HeldSecret> {
        self.secrets.iter().filter(move |secret| secret.until.is_none_or(|until| until > now))
    }
}

impl AccessView {
    /// Those that registered themselves no later than this, and that nobody ever let act; the oldest first.
    pub fn unused_clients(&self, since: Timestamp) -> impl Iterator<Item = ClientId> {
        self.unused_clients.iter().take_while(move |(at, _)| *at <= since).map(|(_, id)| *id)
    }

    /// The same of those that are nobody's.
    pub fn unused_clients_of_nobody_since(&self, since: Timestamp) -> impl Iterator<Item = ClientId> {
        let is_nobodys = |id: &ClientId| self.client(*id).is_some_and(|client| client.organization.is_none());
        self.unused_clients(since).filter(is_nobodys)
    }

    /// How many registered themselves for nobody in particular, and were never let act.
    pub const fn unused_clients_of_nobody(&self) -> usize {
        self.unused_of_nobody
    }

    pub(super) fn fold_client(&mut self, id: ClientId, fact: ClientEvent) {
        match fact {
            ClientEvent::Registered {
                organization,
                client_id: _, // the aggregate's own id
                name,
                kind,
                redirect_uris,
                scopes,
                registered_by: _, // who changes a client is no business of those who ask by it
                authentication,
                grant_types,
            } => {
                let client = Client::new(id, name, kind, authentication, redirect_uris, scopes);
                let (organization, named_grant_types) = (Some(organization), grant_types);
                self.clients.insert(id, Arc::new(Client { organization, named_grant_types, ..client }));
            }
            ClientEvent::SelfRegistered {
                organization,
                client_id: _, // as above
                name,
                kind,
                redirect_uris,
                scopes,
                registered_by: _, // as above
                authentication,
                grant_types,
                registration_token: token,
                about,
                at: since,
            } => {
                let client = Client::new(id, name, kind, authentication, redirect_uris, scopes);
                let named_grant_types = Some(grant_types);
                let own = Some(Arc::new(OwnRegistration { token: Some(token), since, about: *about }));
                self.clients.insert(id, Arc::new(Client { organization, named_grant_types, own, ..client }));
                self.unused_clients.insert((since, id));
                self.unused_of_nobody += usize::from(organization.is_none());
            }
            ClientEvent::TokenRevoked { token, expires_at } => {
                self.revoked_tokens.insert(Root::Client(id), token, expires_at);
            }
            ClientEvent::FirstUsed {} => {
                self.forget_unused(id);
            }
            ClientEvent::Deleted { reason: _ } => {
                if self.forget_unused(id) {
                    // Anybody can register and leave. Nobody ever let it act, so nothing names it: nothing is held of it, not even that it was there.
                    self.clients.remove(&id);
                }
                self.change_client(id, |client| {
                    client.standing = Standing::Ended;
                    client.secrets.clear();
                    client.keys = None;
                    client.own = None;
                    client.redirect_uris.clear();
                });
            }
            ClientEvent::Updated { name, redirect_uris, scopes } => self.change_client(id, |client| {
                client.name = name;
                client.redirect_uris = redirect_uris;
                client.scopes = scopes;
                client.be_taken_over(); // also where it happened before that was told of its own
            }),
            ClientEvent::RegistrationTokenRevoked {} => self.change_client(id, Client::be_taken_over),
            ClientEvent::SelfDescribed { name, redirect_uris, scopes, grant_types, about } => {
                self.change_client(id, |client| {
                    client.name = name;
                    client.redirect_uris = redirect_uris;
                    client.scopes = scopes;
                    client.named_grant_types = Some(grant_types);
                    if let Some(own) = &mut client.own {
                        Arc::make_mut(own).about = *about;
                    }
                });
            }
            ClientEvent::DocumentSeen { url, name, kind, redirect_uris, scopes, grant_types } => {
                let before = self.client(id).map(|client| client.standing);
                let seen = ClientDocument { url, name, kind, redirect_uris, scopes, grant_types };
                let client = Client::described(id, seen);
                let client = Client { standing: before.unwrap_or(Standing::Active), ..client };
                self.clients.insert(id, Arc::new(client));
            }
            ClientEvent::SecretRotated { secret, previous_until } => {
                self.change_client(id, |client| client.rotate(secret, previous_until));
            }
            ClientEvent::KeysReplaced { keys } => {
                self.change_client(id, |client| client.keys = Some(ClientKeySource::Sent(keys)));
            }
            ClientEvent::KeysPublished { keys } => {
                self.change_client(id, |client| client.keys = Some(ClientKeySource::Published(keys)));
            }
            ClientEvent::Disabled { reason: _ } => {
                self.change_client(id, |client| client.standing = Standing::Suspended);
            }
            ClientEvent::Enabled {} => self.change_client(id, |client| client.standing = Standing::Active),
        }
    }

    fn change_client(&mut self, id: ClientId, with: impl FnOnce(&mut Client)) {
        if let Some(client) = self.clients.get_mut(&id) {
            with(Arc::make_mut(client));
        }
    }

    /// Whether it was there.
    fn forget_unused(&mut self, id: ClientId) -> bool {
        let Some(client) = self.client(id) else { return false };
        let (own, is_nobodys) = (client.own.as_ref(), client.organization.is_none());
        let Some(since) = own.map(|own| own.since) else { return false };
        let was_there = self.unused_clients.remove(&(since, id)).is_some();
        self.unused_of_nobody -= usize::from(was_there && is_nobodys);
        was_there
    }
}

impl Client {
    /// What it is, it says itself no longer.
    fn be_taken_over(&mut self) {
        if let Some(own) = &mut self.own {
            Arc::make_mut(own).token = None;
        }
    }

    fn new(
        id: ClientId,
        name: DisplayName,
        kind: ClientKind,
        authentication: Option<ClientAuthentication>,
        redirect_uris: BTreeSet<RedirectUri>,
        scopes: Scopes,
    ) -> Self {
        let authentication = kind.authentication(authentication);
        let (secrets, keys) = match kind {
            ClientKind::Public => (Vec::new(), None),
            ClientKind::Confidential { secret } => {
                (vec![HeldSecret { number: 0, digest: secret, until: None }], None)
            }
            ClientKind::Keyed { keys } => (Vec::new(), Some(ClientKeySource::Sent(keys))),
            ClientKind::Publishing { keys } => (Vec::new(), Some(ClientKeySource::Published(keys))),
        };
        let (organization, named_grant_types, own, document, standing) =
            (None, None, None, None, Standing::Active);
        Self {
            id,
            organization,
            name,
            standing,
            authentication,
            secrets,
            redirect_uris,
            named_grant_types,
            scopes,
            keys,
            own,
            document,
        }
    }

    /// The one before may go on for a while; of an older one nothing is left.
    fn rotate(&mut self, digest: SecretDigest, previous_until: Option<Timestamp>) {
        let previous = self.secrets.drain(..).next();
        let number = previous.as_ref().map_or(0, |secret| secret.number.saturating_add(1));
        self.secrets.push(HeldSecret { number, digest, until: None });
        if let (Some(previous), Some(until)) = (previous, previous_until) {
            self.secrets.push(HeldSecret { until: Some(until), ..previous });
        }
    }
}
