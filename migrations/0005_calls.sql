-- Call records: one row for each MCP call whose credential is known, refused or not. Never arguments, never results.
--
-- Ids are UUIDv7 of the moment at which a call began, so one order serves listing, time ranges, partitions by day (UTC) and uniqueness: a record
-- that comes twice, by way of NATS and straight, is stored once. Partitions are made ahead, and dropped when their time is over.
create table calls (
    id                       uuid        not null,
    at                       timestamptz not null, -- when it began
    organization_id          uuid        not null, -- whose auditors see it: the caller's; the instance's where there is no credential
    instance_organization_id uuid,                 -- whose the instance is; null when there is none
    principal_id             uuid,                 -- the user in whose name the credential calls; null without a credential
    credential_id            uuid,                 -- the API key; null for a caller on loopback
    instance_id              uuid,                 -- as it was asked for; null when the address held no id
    kind                     text        not null, -- request, notification, response, stream, session_end, unread
    method                   text,                 -- of JSON-RPC
    tool                     text,                 -- of tools/call, as it was asked for, cut to a length
    wish                     text,                 -- what the policy was asked: connect, read, call, extend; null when it was not
    read_only                boolean     not null, -- whether the tool counted as read-only in the decision
    maintenance_exempt       boolean     not null, -- whether the caller's address passes during the maintenance that was under way
    decision                 text        not null, -- permit, denial, none (refused before anything was decided)
    reason                   text,                 -- why it was denied or failed: the stable code that the caller was told
    decided_at               timestamptz,          -- the moment that expiry was held against
    position                 bigint      not null, -- of the view that decided, or that was there when nothing was decided
    basis                    text        not null, -- what was asked: view, postgres, stale_view
    node_id                  uuid        not null, -- a run of a node
    number                   bigint      not null, -- in that run, from 1 without holes
    server_id                uuid,
    connection_id            uuid,
    upstream                 text,                 -- origin of the server; null when nothing was sent
    status                   smallint,             -- of HTTP; null when the client left before the head of the answer
    outcome                  text        not null, -- answered, refused, upstream_error, client_gone, cut_off
    duration_us              bigint      not null,
    bytes_in                 bigint      not null,
    bytes_out                bigint      not null,
    arguments_digest         bytea,                -- HMAC-SHA-256 of the arguments' bytes under a key of the deployment
    arguments_until          date,                 -- sealed arguments are kept before this day; null when none are
    constraint calls_pkey primary key (id)
) partition by range (id);
create index calls_organization_idx on calls (organization_id, id);
create index calls_credential_idx on calls (credential_id, id) where credential_id is not null;

-- Arguments of calls to instances that keep them, sealed under the master key; in partitions by the day on which they go.
create table call_arguments (
    until  date  not null,
    id     uuid  not null,
    sealed bytea not null,
    constraint call_arguments_pkey primary key (until, id)
) partition by range (until);
alter table call_arguments alter column sealed set storage external;

-- Runs of nodes: each numbers its records, so that what did not arrive is seen as a hole.
create table call_nodes (
    node_id    uuid        not null,
    started_at timestamptz not null,
    seen_at    timestamptz not null, -- when it last said how far it had numbered
    ended_at   timestamptz,          -- when it stopped with nothing left to hand on; null: it runs, or was killed
    numbered   bigint      not null, -- the highest number that it had given then
    constraint call_nodes_pkey primary key (node_id)
);

-- Which numbers arrived, in runs without a hole.
create table call_runs (
    node_id  uuid        not null,
    first    bigint      not null,
    last     bigint      not null,
    from_at  timestamptz not null,
    until_at timestamptz not null,
    constraint call_runs_pkey primary key (node_id, first),
    constraint call_runs_check check (first <= last)
);

-- Records that were given up because there was no room for them, counted.
create table call_drops (
    node_id         uuid        not null,
    number          bigint      not null,
    organization_id uuid        not null,
    instance_id     uuid,
    from_at         timestamptz not null,
    until_at        timestamptz not null,
    dropped         bigint      not null,
    constraint call_drops_pkey primary key (node_id, number)
);
create index call_drops_organization_idx on call_drops (organization_id, until_at);

-- The smallest id of a moment.
create function first_call_id(p_at timestamptz) returns uuid language sql immutable strict as $$
    select (lpad(to_hex(floor(extract(epoch from p_at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Makes the partition of a day, unless it is there. Runs as the owner of the tables, since the role that serves owns nothing; and gives up
-- rather than let everybody wait behind it.
create function make_call_partition(p_day date) returns void language plpgsql
    security definer set search_path from current set lock_timeout = '2s' as $$
begin
    if to_regclass('calls_' || to_char(p_day, 'YYYYMMDD')) is null then
        execute format('create table if not exists %I partition of calls for values from (%L) to (%L)',
                       'calls_' || to_char(p_day, 'YYYYMMDD'),
                       first_call_id(p_day::timestamp at time zone 'UTC'),
                       first_call_id((p_day + 1)::timestamp at time zone 'UTC'));
    end if;
end $$;

-- The same for sealed arguments that go on a day.
create function make_argument_partition(p_day date) returns void language plpgsql
    security definer set search_path from current set lock_timeout = '2s' as $$
begin
    if to_regclass('call_arguments_' || to_char(p_day, 'YYYYMMDD')) is null then
        execute format('create table if not exists %I partition of call_arguments for values from (%L) to (%L)',
                       'call_arguments_' || to_char(p_day, 'YYYYMMDD'), p_day, p_day + 1);
    end if;
end $$;

-- Drops the partitions whose time is over; answers how many.
create function drop_call_partitions(p_calls_before date, p_arguments_until date) returns bigint language plpgsql
    security definer set search_path from current set lock_timeout = '2s' as $$
declare
    v_name    text;
    v_dropped bigint := 0;
begin
    for v_name in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where (i.inhparent = 'calls'::regclass and c.relname < 'calls_' || to_char(p_calls_before, 'YYYYMMDD'))
           or (i.inhparent = 'call_arguments'::regclass and c.relname <= 'call_arguments_' || to_char(p_arguments_until, 'YYYYMMDD'))
        order by c.relname
    loop
        execute format('drop table if exists %I', v_name);
        v_dropped := v_dropped + 1;
    end loop;
    return v_dropped;
end $$;
revoke execute on function make_call_partition(date), make_argument_partition(date), drop_call_partitions(date, date) from public;

-- How calls to an instance are recorded, as its last event about that says.
alter table instances add column recording jsonb not null default '{"overflow": "drop", "arguments": "none"}';
