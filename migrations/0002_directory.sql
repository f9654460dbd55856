-- The directory: read models behind the management API. Written by one projection only; may be dropped and rebuilt from the log.
--
-- created_* is the event that made a row (the order of every listing), updated_* the last one that changed it. Rows of things that ended
-- are kept, so that their names can still be told; `standing` says so. No secret and no digest of one ever stands here.

create table organizations (
    id               uuid        primary key,
    kind             text        not null,
    slug             text        not null,
    name             text        not null,
    standing         text        not null, -- active, suspended, deleted
    standing_reason  text,                 -- while suspended
    created_at       timestamptz not null,
    created_position bigint      not null unique,
    updated_at       timestamptz not null,
    updated_position bigint      not null
);

create table members (
    organization_id  uuid        not null,
    user_id          uuid        not null,
    role             text        not null,
    created_at       timestamptz not null,
    created_position bigint      not null,
    updated_at       timestamptz not null,
    updated_position bigint      not null,
    primary key (organization_id, user_id)
);
create index members_order_idx on members (organization_id, created_position);
create index members_user_idx on members (user_id);

-- Personal data in clear: this table is as secret as the people in it. Nothing of it is left when a person is deleted or erased.
create table users (
    id               uuid        primary key,
    email            text,
    name             text,
    picture          text,
    erased           boolean     not null, -- what is null was forgotten, not unknown
    standing         text        not null, -- active, suspended, deleted
    standing_reason  text,                 -- while suspended
    created_at       timestamptz not null,
    created_position bigint      not null unique,
    updated_at       timestamptz not null,
    updated_position bigint      not null
);

create table servers (
    id                uuid        primary key,
    organization_id   uuid,                 -- null: the deployment's own catalogue
    name              text        not null,
    transport         jsonb       not null,
    credential_fields jsonb       not null,
    visibility        text        not null, -- private, organization, public
    standing          text        not null, -- offered, retired
    created_at        timestamptz not null,
    created_position  bigint      not null unique,
    updated_at        timestamptz not null,
    updated_position  bigint      not null
);
create index servers_order_idx on servers (organization_id, created_position);
create index servers_public_idx on servers (created_position) where visibility = 'public';

create table connections (
    id               uuid        primary key,
    organization_id  uuid        not null,
    owner_user_id    uuid,                 -- null: shared by the organization
    server_id        uuid        not null,
    name             text        not null,
    secrets_version  bigint,               -- null: none is in force
    secret_fields    text[]      not null, -- the names of the fields that have a value in it
    standing         text        not null, -- open, removed
    created_at       timestamptz not null,
    created_position bigint      not null unique,
    updated_at       timestamptz not null,
    updated_position bigint      not null
);
create index connections_order_idx on connections (organization_id, created_position);
create index connections_secrets_idx on connections (server_id) where secrets_version is not null;

create table instances (
    id               uuid        primary key,
    organization_id  uuid        not null,
    name             text        not null,
    connections      uuid[]      not null,
    tools            jsonb       not null,
    authentication   text        not null,
    standing         text        not null, -- running, stopped, deleted
    created_at       timestamptz not null,
    created_position bigint      not null unique,
    updated_at       timestamptz not null,
    updated_position bigint      not null
);
create index instances_order_idx on instances (organization_id, created_position);

create table api_keys (
    id               uuid        primary key,
    organization_id  uuid        not null,
    key_id           text        not null,
    name             text        not null,
    principal_id     uuid        not null,
    instance_id      uuid,                 -- null: not bound to one
    scopes           text[]      not null,
    environment      text        not null, -- live, test
    expires_at       timestamptz,
    standing         text        not null, -- active, revoked
    standing_reason  text,                 -- once revoked
    revoked_at       timestamptz,
    created_at       timestamptz not null,
    created_position bigint      not null unique,
    updated_at       timestamptz not null,
    updated_position bigint      not null
);
create index api_keys_order_idx on api_keys (organization_id, created_position);

create table clients (
    id                    uuid        primary key, -- as text, the client_id of OAuth
    organization_id       uuid        not null,
    name                  text        not null,
    kind                  text        not null, -- public, confidential
    redirect_uris         text[]      not null,
    scopes                text[]      not null,
    registered_by         uuid        not null,
    secret_set_at         timestamptz,          -- null: a public client has none
    previous_secret_until timestamptz,
    standing              text        not null, -- enabled, disabled, deleted
    standing_reason       text,                 -- while disabled
    created_at            timestamptz not null,
    created_position      bigint      not null unique,
    updated_at            timestamptz not null,
    updated_position      bigint      not null
);
create index clients_order_idx on clients (organization_id, created_position);

-- The deployment: who administers it, whether it is in maintenance, what people are told.

create table administrators (
    user_id          uuid        primary key,
    created_at       timestamptz not null,
    created_position bigint      not null unique
);

-- One row while in maintenance, none otherwise.
create table maintenance (
    id               text        primary key,
    until            timestamptz,
    allowed          text[]      not null,
    created_at       timestamptz not null,
    created_position bigint      not null unique,
    updated_at       timestamptz not null,
    updated_position bigint      not null
);

create table announcements (
    id               uuid        primary key,
    ja               text        not null,
    en               text        not null,
    until            timestamptz,
    standing         text        not null, -- published, withdrawn
    created_at       timestamptz not null,
    created_position bigint      not null unique,
    updated_at       timestamptz not null,
    updated_position bigint      not null
);

-- All links are replaced together, so they share the event that made them.
create table links (
    label            text        primary key,
    url              text        not null,
    created_at       timestamptz not null,
    created_position bigint      not null
);
