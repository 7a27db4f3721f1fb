-- The database roles, each with the least that it needs, and a public that may make nothing. Later files grant what is theirs to grant.

-- Roles belong to the whole cluster, so another database of this cluster may have made them already, or be making them right now:
--   1. database A creates holdfast_admit, and has not committed yet;
--   2. database B sees no such role, creates it too, and waits on the unique index of role names;
--   3. A commits; B is told "unique violation" instead of "duplicate object".
-- Either way the role exists, which is all that was asked.
do $$
declare
    wanted text;
begin
    foreach wanted in array array ['holdfast_admit', 'holdfast_enact', 'holdfast_retire', 'holdfast_serve', 'holdfast_read'] loop
        begin
            execute format('create role %I nologin', wanted);
        exception
            when duplicate_object or unique_violation then null;
        end;
        if exists (select from pg_roles where rolname = wanted and (rolsuper or rolbypassrls or rolreplication)) then
            raise exception 'role % exists, but as one whom no refusal binds (superuser, bypassrls or replication)', wanted;
        end if;
    end loop;
end
$$;

-- A temporary table hides a real one of the same name from whoever made it, so nobody but the owner makes any; nor anything else beside our tables.
do $$
begin
    execute format('revoke temporary on database %I from public', current_database());
end
$$;
revoke create on schema public from public;
grant usage on schema public to holdfast_admit, holdfast_enact, holdfast_retire, holdfast_serve, holdfast_read;
