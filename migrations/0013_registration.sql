-- Clients that register themselves, and what clients prove themselves with.

-- In the directory: written by its one projection, may be dropped and rebuilt from the log. What is filled in here is what a rebuild comes to.
alter table clients
    alter column organization_id drop not null, -- null: it registered itself where anybody may
    alter column registered_by   drop not null, -- null: the same
    add column self_registered boolean not null default false,
    add column authentication  text    not null default 'none', -- client_secret_basic, client_secret_post, private_key_jwt, none
    add column grant_types     text[]  not null default '{}',
    add column key_ids         text[]  not null default '{}';
update clients set authentication = 'client_secret_basic' where kind = 'confidential';
update clients set grant_types = case when redirect_uris = '{}' then '{}'::text[] else array['authorization_code', 'refresh_token'] end
    || case when kind = 'confidential' then array['client_credentials'] else '{}'::text[] end;

-- Assertions that clients proved themselves with (RFC 7523, 3, 7): each counts once, on whichever node it is presented. State of a protocol: a row is
-- forgotten when its assertion counts no more anyway.
create table client_assertions (
    client_id  uuid        not null,
    digest     bytea       not null check (octet_length(digest) = 32), -- SHA-256 of jti: as long as anybody likes
    expires_at timestamptz not null,
    primary key (client_id, digest)
);
create index client_assertions_expires_idx on client_assertions (expires_at);
