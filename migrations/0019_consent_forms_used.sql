-- Forms in which somebody agreed to what a client asks: each counts once. Forgotten when no such form could be sent any more.
create table consent_forms_used (
    form    uuid        primary key, -- its name, which stands sealed in the form
    used_at timestamptz not null default clock_timestamp()
);
create index consent_forms_used_at_idx on consent_forms_used (used_at);
