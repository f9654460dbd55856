-- Grants in the directory: which client may act in whose name, where, and what for. Like its other tables written by one projection only;
-- may be dropped and rebuilt from the log.

create table grants (
    id               uuid        primary key,
    organization_id  uuid        not null, -- whose instance it is for
    user_id          uuid        not null,
    client_id        uuid        not null,
    instance_id      uuid        not null,
    scopes           text[]      not null,
    expires_at       timestamptz,
    standing         text        not null, -- live, revoked
    standing_reason  text,                 -- once revoked
    ended_at         timestamptz,
    created_at       timestamptz not null,
    created_position bigint      not null unique,
    updated_at       timestamptz not null,
    updated_position bigint      not null
);
create index grants_order_idx on grants (organization_id, created_position);
create index grants_user_idx on grants (user_id, created_position);

-- A user may own several names of one kind: their identities at providers. So one of them can be given back, and the rest stay theirs. The two
-- functions are those of 0001_events.sql but for this: a release that names a value gives back that value, any other one all of its scope.

-- Writes one command of a batch: its events from position p_head + 1 on, its claims, its id. Raises unique_violation when anything collides.
create or replace function append_one(p_command jsonb, p_head bigint) returns bigint language plpgsql as $$
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
    where c.owner_type = r.release ->> 'owner_type' and c.owner_id = r.release ->> 'owner_id' and c.scope = r.release ->> 'scope'
    and c.value = coalesce(r.release ->> 'value', c.value);
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
create or replace function append_commands(p_batch jsonb)
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
                select b.number, r.release ->> 'scope' as scope, r.release ->> 'value' as value,
                       r.release ->> 'owner_type' as owner_type, r.release ->> 'owner_id' as owner_id
                from jsonb_array_elements(p_batch) with ordinality as b (command, number),
                     jsonb_array_elements(b.command -> 'releases') as r (release)
            ), freed as (
                delete from claims c using given g
                where c.owner_type = g.owner_type and c.owner_id = g.owner_id and c.scope = g.scope
                and c.value = coalesce(g.value, c.value)
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
