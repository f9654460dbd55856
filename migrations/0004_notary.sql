-- The notary's memory: the Merkle tree over the log (RFC 6962) in tiles of 256 hashes (C2SP tlog-tiles), and every checkpoint that it signed.

-- Which node signs: whoever holds this row. `suspect` is a position at which the log was found to differ from what was signed: nothing is
-- signed until it agrees again.
create table notary (
    one     boolean not null default true,
    suspect bigint,
    constraint notary_pkey primary key (one),
    constraint notary_one_check check (one)
);
insert into notary default values;

-- Level 0 holds the hashes of the events, 256 in a row; each level above holds one hash for each full tile below. The last tile of a level
-- grows until it is full. Kept out of line and as it is, since hashes do not compress.
create table notary_tiles (
    level  smallint not null,
    tile   bigint   not null,
    hashes bytea    not null,
    constraint notary_tiles_pkey primary key (level, tile),
    constraint notary_tiles_hashes_check check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0)
);
alter table notary_tiles alter column hashes set storage external;

-- At most one for each new event, in fact one a second or one for 1,000 events: smaller than the log.
create table notary_checkpoints (
    size      bigint      not null,
    root      bytea       not null,
    note      text        not null,
    signed_at timestamptz not null default clock_timestamp(),
    constraint notary_checkpoints_pkey primary key (size),
    constraint notary_checkpoints_root_check check (octet_length(root) = 32)
);

-- What was signed stays signed.
create function refuse_unsigning() returns trigger language plpgsql as $$
begin
    raise exception 'checkpoints are never changed or deleted (% on %)', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger checkpoints_are_final before update or delete on notary_checkpoints for each row execute function refuse_unsigning();
create trigger checkpoints_stay before truncate on notary_checkpoints for each statement execute function refuse_unsigning();
