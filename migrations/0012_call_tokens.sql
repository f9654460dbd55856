-- What a call with an access token leaves, so that its decision can be taken again: of a token nothing is stored anywhere else. Its credential
-- is then its grant, or its client when that acts for itself. All null for calls with API keys and on loopback.
alter table calls
    add column client_id uuid,  -- the client that the token was given to
    add column grant_id  uuid,  -- what a user consented to; null when the client acts for itself
    add column token     jsonb; -- what it said of itself: id, kid, instance (its audience), scopes, expires_at. Never the token
create index calls_client_idx on calls (client_id, id) where client_id is not null;
