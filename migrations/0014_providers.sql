-- Identity providers: the secrets that they are called with, who is on the way back from one, and when one vouched for whom.
-- State of protocols, not history. Which providers there are, and that somebody went on without one, is told by events.

-- Client secrets, sealed under the master key, each for its own id. An event names the one in force.
create table provider_secrets (
    id         uuid        primary key,
    sealed     bytea       not null,
    created_at timestamptz not null default clock_timestamp()
);

-- Browsers that chose a provider and were led there, by the `state` that they come back with (OpenID Connect Core, 3.1.2.1). Taken once.
create table provider_visits (
    digest     bytea       primary key check (octet_length(digest) = 32), -- SHA-256 of the state
    browser    bytea       not null,                                      -- SHA-256 of what its cookie holds
    provider   text        not null,
    purpose    text        not null check (purpose in ('sign_in', 'renew', 'link')),
    session_id uuid,                                                      -- of which session it is, when it is of one
    in_person  boolean     not null,                                      -- whether the provider was to ask the person anew
    next       text        not null,
    ui_locales text,
    expires_at timestamptz not null,
    check ((purpose = 'sign_in') = (session_id is null))
);
create index provider_visits_expires_idx on provider_visits (expires_at);

-- When a provider vouched for whom last. Sessions and grants that came of it rest on this.
create table provider_vouchers (
    user_id        uuid        not null,
    provider       text        not null,
    vouched_at     timestamptz not null default clock_timestamp(),
    degraded_since timestamptz, -- while its word of before is taken, since it does not answer
    primary key (user_id, provider)
);

-- Grants that somebody consented to in a session which rests on a provider.
create table provider_grants (
    grant_id uuid primary key,
    provider text not null
);

alter table sessions add column provider text;              -- which provider it rests on, if on any
alter table sessions add column proved_at timestamptz;      -- when the person themself was last asked who they are, where that is known
alter table sessions add column degraded_since timestamptz; -- while it goes on by the provider's word of before
update sessions set proved_at = created_at;
