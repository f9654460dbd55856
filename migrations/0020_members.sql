-- Instances with several connections, which have names.

-- In the directory: written by its one projection, may be dropped and rebuilt from the log.
alter table instances
    add column member_names jsonb not null default '{}'; -- by connection
