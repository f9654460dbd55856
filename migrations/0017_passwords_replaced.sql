-- Whoever changes their password ends what clients were allowed before: refresh tokens of families that began earlier are refused.
alter table local_passwords add column replaced_at timestamptz; -- null: it is the first one
alter table refresh_families drop constraint refresh_families_end_reason_check,
    add constraint refresh_families_end_reason_check check (end_reason in ('refresh_reused', 'by_client', 'password_changed'));
