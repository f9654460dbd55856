-- Who was erased, found without reading the log: at every start, and by every node once a second, the keys of these are destroyed.
create index events_erased_idx on events (global_position) where aggregate_type = 'user' and event_type = 'erased';

-- Which organizations a person was ever taken into: asked before they are erased.
create index events_member_added_idx on events ((payload -> 'member_added' ->> 'user'))
    where aggregate_type = 'organization' and event_type = 'member_added';
