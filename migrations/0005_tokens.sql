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

-- Tokens are never deleted, so a plan's token needs no lock on its row; but it needs to exist.
alter table plan add foreign key (token) references token;

-- The first result of a key. Written with the admission, so that only admitted plans have one.
create table idempotency_key (
    token bigint not null references token,
    key text collate "C" not null check (length(key) between 1 and 255),
    body_hash bytea not null check (length(body_hash) = 32),
    plan bigint not null unique references plan,
    primary key (token, key)
);

-- A token can end, once. Everything else about it stays as it was when it was given.
create function token_only_ends() returns trigger language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
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
create trigger idempotency_key_never_changes before update or delete or truncate on idempotency_key for each statement execute function refuse_to_change();

revoke execute on function token_only_ends from public;

grant select, insert (name, hash, role, groups, suffixes, ended), update (ended) on token to holdfast_admit;
grant select (token, name, role, groups, suffixes, created, ended) on token to holdfast_read;
grant select, insert on idempotency_key to holdfast_admit;
