-- Tokens of the API, of which only hashes are kept, and the keys by which a client asks twice for one plan.

create table token (
    token bigint generated always as identity primary key,
    name text collate "C" not null check (length(name) between 1 and 255),
    hash bytea not null unique check (length(hash) = 32),
    role text not null check (role in ('reader', 'planner', 'operator', 'admin')),
    -- The scope: groups by name, and suffixes of names. Nothing means everything.
    groups text[],
    suffixes text[],
    created timestamptz not null default now(),
    ended timestamptz
);
-- A name can be given again when its token has ended.
create unique index token_name on token (name) where ended is null;

-- The first result of a key. Written with the admission, so that only admitted plans have one.
create table idempotency_key (
    token bigint not null,
    key text collate "C" not null check (length(key) between 1 and 255),
    body_hash bytea not null check (length(body_hash) = 32),
    plan bigint not null unique,
    primary key (token, key)
);

-- A token can end, once. Everything else about it stays as it was when it was given.
create function token_only_ends() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong bigint;
begin
    select o.token into wrong
    from before o
    where not exists (
        select from after n
        where n.token = o.token and o.ended is null and n.ended is not null
          and (n.name, n.hash, n.role, n.created) = (o.name, o.hash, o.role, o.created)
          and n.groups is not distinct from o.groups and n.suffixes is not distinct from o.suffixes)
    limit 1;
    if found then
        raise exception using errcode = 'HF002', message = format('token %s can only be ended, once; nothing else about it changes', wrong);
    end if;
    return null;
end
$$;
create trigger token_only_ends after update on token referencing old table as before new table as after for each statement execute function token_only_ends();
create trigger token_never_goes before delete or truncate on token for each statement execute function refuse_to_change();
create trigger idempotency_key_never_changes before update or truncate on idempotency_key for each statement execute function refuse_to_change();

-- A key is its plan's and its plan's token's. Checked here and not by foreign keys, for the reasons told in 0002_history.sql.
create function key_is_its_plans() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    locked boolean := false;
    wrong record;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        perform refuse_old_snapshot();
    end if;
    loop
        select a.plan, a.token, p.token as plans_token, w.why into wrong
        from added a
        left join lateral (select p.plan, p.token, p.xmin = pg_current_xact_id()::xid as own from plan p where p.plan = a.plan offset 0) p on true
        cross join lateral (select case
            when p.plan is null then 'HF015'
            when not (p.own or locked) then 'not locked'
            when p.token is distinct from a.token then 'HF020'
        end as why offset 0) w
        where w.why is not null
        limit 1;
        if not found then
            return null;
        end if;
        exit when wrong.why <> 'not locked';
        perform from plan p where p.plan = any (array (select a.plan from added a)) order by p.plan for key share;
        locked := true;
    end loop;
    raise exception using errcode = wrong.why, message = case wrong.why
        when 'HF015' then format('there is no plan %s', wrong.plan)
        when 'HF020' then format('a key of token %s for plan %s, which is of token %s', wrong.token, wrong.plan, coalesce(wrong.plans_token::text, 'nobody'))
    end;
end
$$;
create function plan_with_a_key_stays() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    held record;
begin
    select r.plan, k.token, k.key into held from removed r join idempotency_key k on k.plan = r.plan limit 1;
    if found then
        raise exception using errcode = 'HF003', message = format('plan %s stays: it is the result of key %s of token %s', held.plan, held.key, held.token);
    end if;
    return null;
end
$$;
create trigger plan_with_a_key_stays after delete on plan referencing old table as removed for each statement execute function plan_with_a_key_stays();
create trigger key_is_its_plans after insert on idempotency_key referencing new table as added for each statement execute function key_is_its_plans();

revoke execute on function token_only_ends, key_is_its_plans, plan_with_a_key_stays from public;

grant select, insert (name, hash, role, groups, suffixes, ended), update (ended) on token to holdfast_admit;
grant select (token, name, role, groups, suffixes, created, ended) on token to holdfast_read;
grant select, insert on idempotency_key to holdfast_admit;
