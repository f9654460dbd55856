-- Upstreams that are authorized by OAuth: what authorization servers gave out, who the deployment is there, and who is on the way back from one.
-- State of protocols, not history. That a connection was authorized, and what became of it, is told by events.

-- In the directory: written by its one projection, may be dropped and rebuilt from the log.
alter table servers
    add column oauth jsonb; -- null: its connections are not authorized by OAuth
alter table connections
    add column oauth jsonb; -- null: nothing was given out for it

-- Tokens of a connection, with what they are renewed by, sealed under the master key for this id. An event names the one in force.
create table upstream_authorizations (
    id             uuid        primary key,
    connection_id  uuid        not null,
    sealed         bytea       not null,
    rotation       bigint      not null default 0, -- how often it was renewed
    expires_at     timestamptz,                    -- of the access token; null: not told
    renewing_until timestamptz,                    -- while a node renews it: nobody else spends the same refresh token
    created_at     timestamptz not null default clock_timestamp()
);
create index upstream_authorizations_connection_idx on upstream_authorizations (connection_id);

-- As whom an organization is known to an authorization server that let us register (RFC 7591), sealed for organization and issuer.
create table upstream_registrations (
    organization_id uuid        not null,
    issuer          text        not null,
    redirect_uri    text        not null,
    sealed          bytea       not null,
    expires_at      timestamptz, -- null: lasts until it is refused
    created_at      timestamptz not null default clock_timestamp(),
    primary key (organization_id, issuer, redirect_uri)
);

-- Browsers that somebody led to an authorization server, by the `state` that they come back with. Taken once, by the browser that was sent.
create table upstream_visits (
    digest          bytea       primary key check (octet_length(digest) = 32), -- SHA-256 of the state
    browser         bytea       not null,                                      -- SHA-256 of what its cookie holds
    user_id         uuid        not null,
    organization_id uuid        not null,
    connection_id   uuid        not null,
    sealed          bytea       not null, -- verifier, client, and whose answer is expected
    expires_at      timestamptz not null
);
create index upstream_visits_expires_idx on upstream_visits (expires_at);
