-- Clients that publish their keys in place of sending them (jwks_uri).

-- In the directory: written by its one projection, may be dropped and rebuilt from the log.
alter table clients
    add column keys_url text; -- null: it sent its keys, or has none
