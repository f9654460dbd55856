-- Which event tells of the password that is kept: to ask once more for an older one must not bring that back.
alter table local_passwords add column position bigint not null default 0; -- 0: kept before this was noted
update local_passwords p set position = coalesce(
    (select max(e.global_position) from events e
     where e.aggregate_type = 'user' and e.aggregate_id = p.user_id::text and e.event_type = 'password_set'), 0);
