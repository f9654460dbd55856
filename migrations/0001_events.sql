-- The log. One table holds every event, in one order without holes; everything else in this database can be rebuilt from it,
-- except the sealed keys and secrets beside it (subject_keys, connection_secrets), which are kept apart so that they can be destroyed.

create table events (
    global_position bigint      not null,
    aggregate_type  text        not null,
    aggregate_id    text        not null,
    sequence        bigint      not null,
    event_type      text        not null,
    event_version   text        not null,
    payload         json        not null,
    metadata        json        not null,
    occurred_at     timestamptz not null,
    recorded_at     timestamptz not null,
    organization_id uuid        generated always as ((metadata ->> 'organization')::uuid) stored,
    actor           text        generated always as (metadata ->> 'actor') stored,
    causation       text        generated always as (metadata ->> 'causation') stored,
    correlation     text        generated always as (metadata ->> 'correlation') stored,
    command_id      text        generated always as (metadata ->> 'command') stored,
    constraint events_pkey primary key (aggregate_type, aggregate_id, sequence),
    constraint events_position_key unique (global_position),
    constraint events_position_check check (global_position > 0),
    constraint events_sequence_check check (sequence > 0)
);
create index events_organization_idx on events (organization_id, global_position);

-- Unique names, taken and given back in the same transaction as the event that says so. Personal values stand here as keyed digests.
create table claims (
    scope      text   not null,
    value      text   not null,
    owner_type text   not null,
    owner_id   text   not null,
    constraint claims_pkey primary key (scope, value)
);
create index claims_owner_idx on claims (owner_type, owner_id, scope);

-- Commands already carried out: a retry finds its answer here instead of acting twice. Answers are sealed, because some hold a secret
-- that is shown once.
create table commands (
    command_id     text        not null,
    request_digest text        not null,
    position       bigint      not null,
    answer         bytea       not null,
    recorded_at    timestamptz not null default clock_timestamp(),
    constraint commands_pkey primary key (command_id)
);
create index commands_recorded_idx on commands (recorded_at);

-- One sealed data key for each person (or other subject). Destroying it erases that person from every copy of the log at once.
create table subject_keys (
    subject_id   uuid        primary key,
    wrapped_key  bytea,
    created_at   timestamptz not null default clock_timestamp(),
    destroyed_at timestamptz,
    constraint subject_keys_state_check check ((wrapped_key is null) = (destroyed_at is not null))
);

-- Long-lived random keys of the deployment (blind index, peppers), sealed under the master key so that rotating it changes none of them.
create table data_keys (
    purpose    text        not null,
    id         integer     not null,
    sealed     bytea       not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (purpose, id)
);

-- Credentials for upstream servers, sealed under the master key. An event names the version, never the value.
create table connection_secrets (
    connection_id uuid        not null,
    version       integer     not null,
    sealed        bytea       not null,
    created_at    timestamptz not null default clock_timestamp(),
    primary key (connection_id, version)
);

-- Which log this is: a stream in NATS that was filled from another log is refused, not mixed.
create table log_identity (
    id  uuid    primary key default gen_random_uuid(),
    one boolean not null default true unique check (one)
);
insert into log_identity default values;

-- How far each projection is, and the events that it could not apply.
create table projection_checkpoints (
    projection text        not null,
    version    integer     not null,
    position   bigint      not null,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (projection, version)
);
create table parked_events (
    projection     text        not null,
    version        integer     not null,
    position       bigint      not null,
    aggregate_type text        not null,
    aggregate_id   text        not null,
    reason         text        not null,
    parked_at      timestamptz not null default clock_timestamp(),
    primary key (projection, version, position)
);
create index parked_events_aggregate_idx on parked_events (projection, version, aggregate_type, aggregate_id);

-- No event is ever changed or deleted.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'events are never changed or deleted (% on %)', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger events_are_final before update or delete on events for each row execute function refuse_change();
create trigger events_stay before truncate on events for each statement execute function refuse_change();

-- Whether a command rests on an aggregate that has changed since it was read: then it is to decide again, as if it had changed that
-- aggregate itself and another writer had been faster.
create function rests_on_the_past(p_batch jsonb) returns boolean language sql stable as $$
    select exists (
        select from jsonb_array_elements(p_batch) as b (command), jsonb_array_elements(b.command -> 'rests_on') as s (seen)
        where exists (
            select from events e
            where e.aggregate_type = s.seen ->> 'aggregate_type' and e.aggregate_id = s.seen ->> 'aggregate_id'
            and e.sequence > (s.seen ->> 'sequence')::bigint))
$$;

-- Writes one command of a batch: its events from position p_head + 1 on, its claims, its id. Raises unique_violation when anything collides.
create function append_one(p_command jsonb, p_head bigint) returns bigint language plpgsql as $$
declare
    v_last bigint;
begin
    if rests_on_the_past(jsonb_build_array(p_command)) then
        raise unique_violation using constraint = 'events_pkey';
    end if;
    insert into events (global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                        occurred_at, recorded_at)
    select p_head + e.ordinal, e.event ->> 'aggregate_type', e.event ->> 'aggregate_id', (e.event ->> 'sequence')::bigint,
           e.event ->> 'event_type', e.event ->> 'event_version', e.event -> 'payload', e.event -> 'metadata',
           (e.event -> 'metadata' ->> 'occurred_at')::timestamptz, clock_timestamp()
    from jsonb_array_elements(p_command -> 'events') with ordinality as e (event, ordinal);
    v_last := p_head + jsonb_array_length(p_command -> 'events');
    delete from claims c using jsonb_array_elements(p_command -> 'releases') as r (release)
    where c.owner_type = r.release ->> 'owner_type' and c.owner_id = r.release ->> 'owner_id' and c.scope = r.release ->> 'scope';
    insert into claims (scope, value, owner_type, owner_id)
    select t.take ->> 'scope', t.take ->> 'value', t.take ->> 'owner_type', t.take ->> 'owner_id'
    from jsonb_array_elements(p_command -> 'takes') as t (take);
    insert into commands (command_id, request_digest, position, answer)
    values (p_command ->> 'command_id', p_command ->> 'request_digest', v_last, decode(p_command ->> 'answer', 'base64'));
    return v_last;
end $$;

-- The one append path. A batch of commands in one transaction under one lock, so that commit order is position order and no position is
-- ever skipped: the lock is taken before anything else is touched, and a command that collides leaves no trace and no hole.
--
-- First all together (one statement for each table, no sub-transactions: the common case); only when something collides, one by one, to
-- tell which. All together means: all names are given back before the first is taken. Where that is not what comes of one by one, in the
-- order of the batch, the batch is done one by one too. Outcomes: ok | conflict (another writer was faster on the aggregate) | taken (detail: the scope) | duplicate (command id).
create function append_commands(p_batch jsonb)
    returns table (ordinal bigint, outcome text, position_last bigint, detail text) language plpgsql as $$
declare
    v_head   bigint;
    v_start  bigint;
    v_one    jsonb;
    v_number bigint;
    v_name   text;
    v_detail text;
    v_early  boolean;
begin
    perform pg_advisory_xact_lock(7243927510471);
    select coalesce(max(e.global_position), 0) into v_head from events e;
    v_start := v_head;
    begin
        insert into events (global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                            occurred_at, recorded_at)
        select v_head + row_number() over (order by c.number, e.number), e.event ->> 'aggregate_type', e.event ->> 'aggregate_id',
               (e.event ->> 'sequence')::bigint, e.event ->> 'event_type', e.event ->> 'event_version', e.event -> 'payload',
               e.event -> 'metadata', (e.event -> 'metadata' ->> 'occurred_at')::timestamptz, clock_timestamp()
        from jsonb_array_elements(p_batch) with ordinality as c (command, number),
             jsonb_array_elements(c.command -> 'events') with ordinality as e (event, number);
        if p_batch @? '$[*].rests_on[*]' and rests_on_the_past(p_batch) then
            raise unique_violation;
        end if;
        if p_batch @? '$[*].releases[*]' then
            with wanted as (
                select b.number, t.take ->> 'scope' as scope, t.take ->> 'value' as value,
                       t.take ->> 'owner_type' as owner_type, t.take ->> 'owner_id' as owner_id
                from jsonb_array_elements(p_batch) with ordinality as b (command, number),
                     jsonb_array_elements(b.command -> 'takes') as t (take)
            ), given as (
                select b.number, r.release ->> 'scope' as scope,
                       r.release ->> 'owner_type' as owner_type, r.release ->> 'owner_id' as owner_id
                from jsonb_array_elements(p_batch) with ordinality as b (command, number),
                     jsonb_array_elements(b.command -> 'releases') as r (release)
            ), freed as (
                delete from claims c using given g
                where c.owner_type = g.owner_type and c.owner_id = g.owner_id and c.scope = g.scope
                returning c.scope, c.value, g.number
            )
            -- Somebody takes what only a later command gives back, or what they take is given back by a later command.
            select exists (select from wanted w join freed f using (scope, value) where w.number < f.number)
                or exists (select from wanted w join given g using (scope, owner_type, owner_id) where w.number < g.number)
            into v_early;
            if v_early then
                raise unique_violation;
            end if;
        end if;
        if p_batch @? '$[*].takes[*]' then
            insert into claims (scope, value, owner_type, owner_id)
            select t.take ->> 'scope', t.take ->> 'value', t.take ->> 'owner_type', t.take ->> 'owner_id'
            from jsonb_array_elements(p_batch) as b (command), jsonb_array_elements(b.command -> 'takes') as t (take);
        end if;
        insert into commands (command_id, request_digest, position, answer)
        select b.command ->> 'command_id', b.command ->> 'request_digest',
               v_head + sum(jsonb_array_length(b.command -> 'events')) over (order by b.number), decode(b.command ->> 'answer', 'base64')
        from jsonb_array_elements(p_batch) with ordinality as b (command, number);
        perform pg_notify('sekisho_log', max(e.global_position)::text) from events e;
        -- Last, when nothing can collide any more: rows that were returned stay returned when a block is rolled back.
        return query
            select b.number, 'ok', (v_head + sum(jsonb_array_length(b.command -> 'events')) over (order by b.number))::bigint, null::text
            from jsonb_array_elements(p_batch) with ordinality as b (command, number);
        return;
    exception when unique_violation then
        null; -- one of them collides: find out which
    end;
    for v_one, v_number in select b.command, b.number from jsonb_array_elements(p_batch) with ordinality as b (command, number) loop
        begin
            v_head := append_one(v_one, v_head);
            return query select v_number, 'ok', v_head, null::text;
        exception when unique_violation then
            get stacked diagnostics v_name = constraint_name, v_detail = pg_exception_detail;
            return query select v_number,
                case v_name when 'events_pkey' then 'conflict' when 'claims_pkey' then 'taken' when 'commands_pkey' then 'duplicate'
                    else 'conflict' end,
                v_head,
                substring(v_detail from '=\(([a-z_]+), ');
        end;
    end loop;
    if v_head > v_start then
        perform pg_notify('sekisho_log', v_head::text);
    end if;
end $$;
