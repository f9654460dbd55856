-- People at their browsers: who is signed in, the passwords they sign in with, how often somebody tried, and the codes that they let a client have.
-- State of protocols, not history: rows come and go. What must be told later stands in the log.

create table sessions (
    digest     bytea       primary key, -- SHA-256 of what the cookie holds: whoever reads this table is signed in as nobody
    id         uuid        not null unique, -- the name under which it is listed and ended
    user_id    uuid        not null,
    method     text        not null, -- how they proved who they are: password
    agent      text        not null, -- what the browser calls itself, cut short
    created_at timestamptz not null default clock_timestamp(),
    seen_at    timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null -- however much it is used
);
create index sessions_user_idx on sessions (user_id, created_at);
create index sessions_expires_idx on sessions (expires_at);

-- bcrypt texts, sealed under the master key. Beside the log, which says only that one was set: a log cannot forget.
create table local_passwords (
    user_id    uuid        primary key,
    sealed     bytea       not null,
    changed_at timestamptz not null default clock_timestamp()
);

-- Attempts to sign in, as buckets that drain: for an account, for an address, for a browser that was let in before. Named by keyed digests.
create table sign_in_throttle (
    bucket text             primary key,
    level  double precision not null,
    at     timestamptz      not null default clock_timestamp()
);
create index sign_in_throttle_at_idx on sign_in_throttle (at);

-- Codes on their way from a browser to a client's token request (RFC 6749, 4.1.2). Kept for a while after they were used: a second use is told from none.
create table authorization_codes (
    digest          bytea       primary key, -- SHA-256 of the code
    grant_id        uuid        not null,
    client_id       uuid        not null,
    user_id         uuid        not null,
    organization_id uuid        not null,
    instance_id     uuid        not null,
    redirect_uri    text        not null,
    challenge       text        not null, -- S256 (RFC 7636)
    scopes          text[]      not null,
    issued_at       timestamptz not null default clock_timestamp(),
    expires_at      timestamptz not null,
    consumed_at     timestamptz
);
create index authorization_codes_expires_idx on authorization_codes (expires_at);
