-- The audit log: every act of a token that is no plan (freeze, thaw, rings, tokens, pins …), in the transaction that did it. It is only ever added to.

create table audit (
    audit bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    -- Whose token; null: somebody with a login of the database, by the command line for emergencies.
    token bigint references token,
    -- Who, for people: the token's name, a login, a program.
    by text not null check (length(by) between 1 and 255),
    -- What was done, as a verb: 'freeze', 'thaw', 'set-ring', 'fail' …
    act text not null check (act ~ '^[a-z][a-z-]{0,62}$'),
    -- On what and why. Never a secret.
    detail jsonb not null default '{}' check (jsonb_typeof(detail) = 'object'),
    zone_group bigint references zone_group,
    -- As in 0002_history.sql.
    xact xid8 not null default pg_current_xact_id()
);
create index audit_group on audit (zone_group, audit) where zone_group is not null;

-- The hour is the database's, whatever the caller says: an act that was dated back would be one that nobody looks for.
create function audit_is_dated() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    new.at := clock_timestamp();
    return new;
end
$$;
create trigger audit_is_dated before insert on audit for each row execute function audit_is_dated();
create trigger audit_never_changes before update or delete or truncate on audit for each statement execute function refuse_to_change();

revoke execute on function audit_is_dated from public;

grant select on audit to holdfast_admit, holdfast_enact, holdfast_read;
grant insert (token, by, act, detail, zone_group) on audit to holdfast_admit, holdfast_enact;
