-- How far each node is, as it says itself some times a second: what `?wait=all` waits for. It must outlive a crash of the database: a node that is
-- cut off then cannot say again that it is there, and still decides for as long as its bound.
create table node_leases (
    node         uuid        not null,
    applied      bigint      not null,
    bound_millis bigint      not null,
    renewed_at   timestamptz not null,
    expires_at   timestamptz not null,
    constraint node_leases_pkey primary key (node)
) with (fillfactor = 50);

-- What becomes of an instance's calls while a node knows too little to decide: refuse, serve.
alter table instances add column when_stale text not null default 'refuse';
