-- Refresh tokens (RFC 6749, 6), of which every one is used once (RFC 9700, 4.14.2). What follows from their end is told by events; these tables
-- are what two programs that use one token at the same moment meet in. All moments are those of this database, never of a node.

-- A line of tokens, each in the place of the one before. It stands or falls as one.
create table refresh_families (
    id          uuid        primary key,
    grant_id    uuid        not null,
    client_id   uuid        not null,
    instance_id uuid        not null,
    scopes      text[]      not null, -- the most that its access tokens may do
    began_at    timestamptz not null default clock_timestamp(),
    idle_until  timestamptz not null, -- unless it is used before
    ends_at     timestamptz not null, -- however it is used
    ended_at    timestamptz,
    end_reason  text        check (end_reason in ('refresh_reused', 'by_client')),
    told_at     timestamptz,          -- since when the log says that its grant is over
    check ((ended_at is null) = (end_reason is null) and (told_at is null or ended_at is not null))
);
create index refresh_families_untold_idx on refresh_families (ended_at) where ended_at is not null and told_at is null;
create index refresh_families_idle_idx on refresh_families (idle_until);

create table refresh_tokens (
    digest      bytea       primary key check (octet_length(digest) = 32),
    family_id   uuid        not null references refresh_families (id) on delete cascade,
    parent      bytea       unique, -- the one before: it has one successor, whoever asks how often
    issued_at   timestamptz not null default clock_timestamp(),
    consumed_at timestamptz,
    answer      bytea,      -- what its use was answered with, successor included, under a key that only the token itself yields
    replays     integer     not null default 0
);
create index refresh_tokens_family_idx on refresh_tokens (family_id);
create index refresh_tokens_consumed_idx on refresh_tokens (consumed_at) where consumed_at is not null;
