-- The authorization server: what it keeps beside the log.

-- Private halves of the keys that sign access tokens, each sealed under the master key for its own name. What a key is for is told by events.
create table signing_keys (
    kid        text primary key,
    algorithm  text not null check (algorithm in ('RS256', 'ES256', 'EdDSA')),
    sealed     bytea not null,
    created_at timestamptz not null default now()
);
