-- Clients whose identifier is the address of a document.

-- In the directory: written by its one projection, may be dropped and rebuilt from the log.
alter table clients
    add column document text; -- null: its identifier is its id
