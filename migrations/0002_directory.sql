-- The directory: read models behind the management API. Written by one projection only; may be dropped and rebuilt from the log.

create table organizations (
    id               uuid        primary key,
    kind             text        not null,
    slug             text        not null,
    name             text        not null,
    standing         text        not null,
    created_at       timestamptz not null,
    created_position bigint      not null unique
);

create table members (
    organization_id  uuid        not null,
    user_id          uuid        not null,
    role             text        not null,
    created_at       timestamptz not null,
    created_position bigint      not null,
    primary key (organization_id, user_id)
);
create index members_order_idx on members (organization_id, created_position);
create index members_user_idx on members (user_id);
