-- Retirement: the floor rises, and what no generation at or above it sees may be deleted. Pins hold a generation back.
--
-- Everything here may be called at any time, by any number of programs, and be cut off anywhere: the floor rises first, by itself, and what is deleted afterwards was
-- not seen from above the floor any more. Nothing is rewritten or truncated: whoever reads under an older snapshot goes on seeing all of it.

-- Why a generation may not be forgotten. Several of one generation are as good as one.
create table pin (
    pin bigint generated always as identity primary key,
    zone_group bigint not null,
    generation bigint not null,
    why text not null check (length(why) between 1 and 1000),
    token bigint references token,
    by text not null check (length(by) between 1 and 255),
    at timestamptz not null default clock_timestamp(),
    -- Never dangling: what is pinned cannot go.
    foreign key (zone_group, generation) references generation
);
create index pin_generation on pin (zone_group, generation);

-- How far retirement has got, so that it goes on where it was. Updated in place, read by nobody else; nothing that is safe rests on it.
create table retirement (
    zone_group bigint primary key references zone_group,
    -- What generations up to here made obsolete is gone; and of the next one, if it is large, up to this name.
    swept bigint not null default 0,
    zone bigint,
    owner text collate "C",
    -- Generations up to here were looked at, and forgotten where nothing of their plan was left.
    forgotten bigint not null default 0
) with (fillfactor = 50);

-- Plans that need their changes (those that were given up) or their reads no more, until these are gone.
create table leftover (
    plan bigint primary key
);

create trigger pin_never_changes before update or truncate on pin for each statement execute function refuse_to_change();
create trigger retirement_never_truncated before truncate on retirement for each statement execute function refuse_to_change();
create trigger leftover_never_changes before update or truncate on leftover for each statement execute function refuse_to_change();

-- Of how many generations of a group the plan and the id are remembered, although the changes are forgotten: for who asks what became of a plan, and for servers that
-- come back from far behind.
create function generations_remembered() returns int language sql immutable as $$ select 100000 $$;

-- The floor only rises, to a generation that there is, and holds nobody back: no pin, no head of a living ring. A living ring without a head holds it where it is, for
-- its head may yet be made from what its servers report (0015).
-- Pins and moves take the group FOR SHARE, so none is on its way when this looks; see move_is_above_the_floor (0003).
create function floor_only_rises() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    perform refuse_old_snapshot();
    if exists (select from before o where not exists (select from after n where n.zone_group = o.zone_group and n.name = o.name)) then
        raise exception using errcode = 'HF002', message = 'of a group only its floor changes';
    end if;
    select n.zone_group, o.floor as was, n.floor, held.by as held_by, w.why into wrong
    from before o
    join after n on n.zone_group = o.zone_group
    left join lateral (
        select format('pin %s of generation %s', p.pin, p.generation) as by from pin p where p.zone_group = n.zone_group and p.generation < n.floor
        union all
        select case when head.generation is null then format('ring %s, which has no head yet', r.ring) else format('ring %s, whose head is %s', r.ring, head.generation) end
        from ring r
        left join lateral (select m.generation from head_move m where m.zone_group = n.zone_group and m.ring = r.ring order by m.generation desc limit 1) head on true
        where r.ended is null and coalesce(head.generation, 0) < n.floor
        limit 1
    ) held on true
    cross join lateral (select case
        when n.floor < o.floor then 'HF033'
        when n.floor > o.floor and not exists (select from generation g where g.zone_group = n.zone_group and g.generation = n.floor offset 0) then 'HF034'
        when n.floor > o.floor and held.by is not null then 'HF035'
    end as why offset 0) w
    where w.why is not null
    limit 1;
    if not found then
        return null;
    end if;
    raise exception using errcode = wrong.why, message = case wrong.why
        when 'HF033' then format('the floor of group %s is %s and does not fall to %s', wrong.zone_group, wrong.was, wrong.floor)
        when 'HF034' then format('group %s has no generation %s that could be its floor', wrong.zone_group, wrong.floor)
        when 'HF035' then format('the floor of group %s does not rise to %s: it is held by %s', wrong.zone_group, wrong.floor, wrong.held_by)
    end;
end
$$;
create trigger floor_only_rises after update on zone_group referencing old table as before new table as after for each statement execute function floor_only_rises();

-- As with moves: the group is locked first, and its floor read afterwards.
create function pin_is_above_the_floor() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    perform refuse_old_snapshot();
    perform from zone_group z where z.zone_group = any (array (select a.zone_group from added a)) order by z.zone_group for share;
    select a.zone_group, a.generation, z.floor into wrong from added a join zone_group z on z.zone_group = a.zone_group where a.generation < z.floor limit 1;
    if found then
        raise exception using errcode = 'HF009',
            message = format('generation %s of group %s cannot be pinned: it is below the floor %s', wrong.generation, wrong.zone_group, wrong.floor);
    end if;
    return null;
end
$$;
create trigger pin_is_above_the_floor after insert on pin referencing new table as added for each statement execute function pin_is_above_the_floor();

create function pin_is_dated() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    new.at := clock_timestamp();
    return new;
end
$$;
create trigger pin_is_dated before insert on pin for each row execute function pin_is_dated();

-- The newest generation at or below `at_generation` whose `touched` row says how many record sets stood in the zone (0002): what older rows say counts no more.
create function counted_at(of_zone bigint, at_generation bigint) returns bigint language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    of_group constant bigint := case when of_zone < 0 then -of_zone else (select z.zone_group from zone z where z.zone = of_zone) end;
    upto bigint := at_generation;
    says bytea;
begin
    loop
        upto := touched_at(of_zone, upto);
        exit when upto is null;
        select c.value into says
        from generation g
        cross join lateral (select c.value from change c where c.zone = of_zone and c.owner = '' and c.type = 65536 and c.covered = 0 and c.plan = g.plan offset 0) c
        where g.zone_group = of_group and g.generation = upto;
        exit when length(says) = 9 and get_byte(says, 0) = ascii('t');
        upto := upto - 1;
    end loop;
    return upto;
end
$$;

-- A change may go when no generation at or above the floor sees it. Judged is what stays when the statement is done, key by key, by the newest version n that goes:
--   a newer version at or below the floor stays: then that is what is seen, and n and all that is older was seen from below the floor only;
--   n is a tombstone, and nothing older stays: then nothing is seen, with it as without it. (The SOA's stays for ever: a zone ends by a fact, and not by an absent row.)
-- Two who delete at once: each sees what the other has not committed as still there, so neither takes what the other leans on.
--
-- A `touched` row is outside of the order of plans' numbers (0006), and may count from the ones before it. So it goes only when a newer one stays at or below the floor;
-- and if it says a number at all, only when one stays that says the whole number.
--
-- Giving a plan up is deleting its row (plan_is_given_up): afterwards its changes go as they like; before, none, for then half a plan could be admitted.
create function change_may_go() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    perform refuse_old_snapshot();
    select p.plan, g.generation, g.zone_group, g.floor, w.why into wrong
    from (select distinct r.plan from removed r) p
    left join lateral (
        select g.generation, g.zone_group, z.floor from generation g join zone_group z on z.zone_group = g.zone_group where g.plan = p.plan offset 0
    ) g on true
    cross join lateral (select case
        when g.generation is null then case when exists (select from plan o where o.plan = p.plan offset 0) then 'HF017' end
        when g.floor = 1 or g.generation > g.floor then 'HF003'
    end as why offset 0) w
    where w.why is not null
    limit 1;
    if found then
        raise exception using errcode = wrong.why, message = case wrong.why
            when 'HF017' then format('changes stay as long as plan %s does: give up the plan first', wrong.plan)
            when 'HF003' then format('changes of plan %s stay: it is generation %s of group %s, whose floor is %s', wrong.plan, wrong.generation, wrong.zone_group, wrong.floor)
        end;
    end if;

    select k.zone, k.owner, k.type, k.generation, k.floor into wrong
    from (
        select distinct on (r.zone, r.owner, r.type, r.covered) r.zone, r.owner, r.type, r.covered, r.plan, r.value, g.generation, g.floor
        from removed r
        cross join lateral (select g.generation, z.floor from generation g join zone_group z on z.zone_group = g.zone_group where g.plan = r.plan offset 0) g
        where r.type <> 65536
        order by r.zone, r.owner, r.type, r.covered, r.plan desc
    ) k
    where not exists (
            select from change c where c.zone = k.zone and c.owner = k.owner and c.type = k.type and c.covered = k.covered and c.plan > k.plan
              and exists (select from generation g where g.plan = c.plan and g.generation <= k.floor offset 0) offset 0)
      and not (k.value is null and not (k.type = 6 and k.owner = '@') and not exists (
            select from change c where c.zone = k.zone and c.owner = k.owner and c.type = k.type and c.covered = k.covered and c.plan < k.plan
              and exists (select from generation g where g.plan = c.plan offset 0) offset 0))
    limit 1;
    if not found then
        select k.zone, '' as owner, 65536 as type, k.generation, k.floor into wrong
        from (
            select r.zone, g.floor, max(g.generation) as generation, max(g.generation) filter (where length(r.value) = 9) as counting
            from removed r
            cross join lateral (select g.generation, z.floor from generation g join zone_group z on z.zone_group = g.zone_group where g.plan = r.plan offset 0) g
            where r.type = 65536
            group by r.zone, g.floor
        ) k
        where coalesce(touched_at(k.zone, k.floor), 0) <= k.generation
           or (k.counting is not null and coalesce(counted_at(k.zone, k.floor), 0) <= k.counting)
        limit 1;
    end if;
    if found then
        raise exception using errcode = 'HF036',
            message = format('type %s of %s in zone %s stays as generation %s made it: it is what is seen from the floor %s on', wrong.type,
                             case wrong.owner when '' then 'no name' else wrong.owner end, wrong.zone, wrong.generation, wrong.floor);
    end if;
    return null;
end
$$;
create trigger change_may_go after delete on change referencing old table as removed for each statement execute function change_may_go();

-- Reads are what the door judges a plan by, so those of a plan that may yet be admitted stay: without one, a stale plan would look fresh. Afterwards nothing needs them.
create function plan_read_may_go() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    perform refuse_old_snapshot();
    select r.plan, w.why into wrong
    from (select distinct r.plan from removed r) r
    join plan p on p.plan = r.plan
    left join lateral (
        select g.generation, z.floor from generation g join zone_group z on z.zone_group = g.zone_group where g.plan = r.plan offset 0
    ) g on true
    cross join lateral (select case
        when g.generation is null then 'HF017'
        when g.floor = 1 or g.generation > g.floor then 'HF003'
    end as why offset 0) w
    where w.why is not null
    limit 1;
    if found then
        raise exception using errcode = wrong.why, message = case wrong.why
            when 'HF017' then format('reads stay as long as plan %s does: give up the plan first', wrong.plan)
            when 'HF003' then format('reads of plan %s stay: a generation above the floor names it', wrong.plan)
        end;
    end if;
    return null;
end
$$;
create trigger plan_read_may_go after delete on plan_read referencing old table as removed for each statement execute function plan_read_may_go();

-- A generation is forgotten when nothing of its plan is left, many newer ones stay, and one between it and the floor: the id of that one is what the floor's own id is
-- made with. (What moves, verdicts and pins refer to stays by foreign key.)
create function generation_may_go() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    perform refuse_old_snapshot();
    select r.zone_group, r.generation, z.floor into wrong
    from (select r.zone_group, max(r.generation) as generation from removed r group by r.zone_group) r
    join zone_group z on z.zone_group = r.zone_group
    where not exists (select from generation g where g.zone_group = r.zone_group and g.generation > r.generation and g.generation < z.floor offset 0)
       or not exists (select from generation g where g.zone_group = r.zone_group and g.generation > r.generation order by g.generation offset generations_remembered() - 1 limit 1)
    limit 1;
    if not found then
        select r.zone_group, r.generation, z.floor into wrong
        from removed r join zone_group z on z.zone_group = r.zone_group
        where exists (select from change c where c.plan = r.plan offset 0)
        limit 1;
    end if;
    if found then
        raise exception using errcode = 'HF037',
            message = format('generation %s of group %s is remembered: changes of its plan still stand, or it is not below the floor %s, or among the last %s', wrong.generation,
                             wrong.zone_group, wrong.floor, generations_remembered());
    end if;
    return null;
end
$$;
create trigger generation_may_go after delete on generation referencing old table as removed for each statement execute function generation_may_go();

-- What was found about a generation stands as long as a head could go there.
create function verdict_may_go() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    perform refuse_old_snapshot();
    select r.zone_group, r.generation, z.floor into wrong from removed r join zone_group z on z.zone_group = r.zone_group where r.generation >= z.floor limit 1;
    if found then
        raise exception using errcode = 'HF037',
            message = format('the verdict on generation %s of group %s stands: the floor is %s', wrong.generation, wrong.zone_group, wrong.floor);
    end if;
    return null;
end
$$;
create trigger verdict_may_go after delete on verdict referencing old table as removed for each statement execute function verdict_may_go();

-- A key goes with its plan's generation: who asks under it then is judged anew, with a base that is below the floor.
create function key_may_go() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    perform refuse_old_snapshot();
    select r.key, r.token, g.generation, g.zone_group into wrong from removed r join generation g on g.plan = r.plan limit 1;
    if found then
        raise exception using errcode = 'HF037',
            message = format('key %s of token %s stands for generation %s of group %s', wrong.key, wrong.token, wrong.generation, wrong.zone_group);
    end if;
    return null;
end
$$;
create trigger key_may_go after delete on idempotency_key referencing old table as removed for each statement execute function key_may_go();

revoke execute on function generations_remembered, floor_only_rises, pin_is_above_the_floor, pin_is_dated, counted_at, change_may_go, plan_read_may_go, generation_may_go,
    verdict_may_go, key_may_go from public;

-- What is deleted at the beginning of an index is stepped over until it is vacuumed away, so that is done early.
alter table change set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
alter table plan set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
alter table generation set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

grant select on pin to holdfast_admit, holdfast_enact, holdfast_retire, holdfast_read;
grant insert (zone_group, generation, why, token, by), delete on pin to holdfast_admit;
grant select on zone_group, ring, head_move, verdict, plan, plan_read, change, generation, retirement, leftover to holdfast_retire;
grant select (token, key, plan) on idempotency_key to holdfast_retire;
grant update (floor) on zone_group to holdfast_retire;
grant delete on head_move, verdict, plan, plan_read, change, generation, idempotency_key, leftover to holdfast_retire;
grant insert (zone_group), update (swept, zone, owner, forgotten) on retirement to holdfast_retire;
grant insert on leftover to holdfast_retire;
grant execute on function generations_remembered to holdfast_retire;
create policy retired_verdicts on verdict for delete to holdfast_retire using (true);

-- The doors. Each does one step and commits by itself, like admit and for the same reason (0007_admit.sql): a program that is stopped in the middle holds nobody up. A
-- step that was cut off has done nothing, and the next one finds the same to do.

-- Everything by index: these may be planned while the tables are small, and the plans be kept.
create procedure retire_by_index() language plpgsql as $$
begin
    set local enable_seqscan = off;
    set local enable_bitmapscan = off;
    set local enable_hashjoin = off;
    set local enable_mergejoin = off;
    set local jit = off;
    -- Others never wait long for this, nor this for others: what is held is tried again later.
    set local lock_timeout = '1s';
end
$$;

-- raised; already-raised, if somebody else did; or lost-race, if p_keep generations are not at or above it any more:
--   1. retirement reads that generation 50 is the tip, and keeps ten: the floor may rise to 41;
--   2. the database is restored to generation 45;
--   3. retirement raises the floor to 41, and five generations would be left.
create procedure raise_floor(p_group bigint, p_to bigint, inout outcome text, p_keep bigint default 1) language plpgsql as $$
begin
    call retire_by_index();
    update zone_group set floor = p_to
    where zone_group = p_group and floor < p_to
      and (select g.generation from generation g where g.zone_group = p_group order by g.generation desc offset p_keep - 1 limit 1) >= p_to;
    outcome := case
        when found then 'raised'
        when exists (select from zone_group z where z.zone_group = p_group and z.floor >= p_to) then 'already-raised'
        else 'lost-race'
    end;
    commit;
end
$$;

-- Moves and verdicts below the floor, so many of each.
create procedure retire_moves(p_group bigint, p_rows int, inout removed bigint) language plpgsql as $$
declare
    the_floor bigint;
    verdicts bigint;
begin
    call retire_by_index();
    select z.floor into the_floor from zone_group z where z.zone_group = p_group;
    delete from head_move m where m.ctid = any (array (
        select v.ctid from ring r cross join lateral (
            select m.ctid from head_move m where m.zone_group = p_group and m.ring = r.ring and m.generation < the_floor order by m.generation limit p_rows) v));
    get diagnostics removed = row_count;
    delete from verdict f where f.ctid = any (array (
        select v.ctid from verdict v where v.zone_group = p_group and v.generation < the_floor order by v.generation limit p_rows));
    get diagnostics verdicts = row_count;
    removed := removed + verdicts;
    commit;
end
$$;

-- Forgets those of these plans of which nothing stands any more, and their generations. For the doors below, which choose plans that are old enough.
create function forget(of_group bigint, plans bigint[]) returns bigint language plpgsql as $$
declare
    gone bigint[];
begin
    with forgotten as (
        delete from generation g
        where g.plan = any (plans) and g.zone_group = of_group
          and not exists (select from change c where c.plan = g.plan offset 0)
          and not exists (select from ring r join head_move m on m.zone_group = of_group and m.ring = r.ring and m.generation = g.generation offset 0)
          and not exists (select from verdict v where v.zone_group = of_group and v.generation = g.generation offset 0)
        returning g.plan
    )
    select coalesce(array_agg(f.plan), '{}') into gone from forgotten f;
    if gone = '{}' then
        return 0;
    end if;
    delete from idempotency_key k where k.plan = any (gone);
    insert into leftover (plan) select p.plan from unnest(gone) as p (plan) where exists (select from plan_read r where r.plan = p.plan offset 0) on conflict do nothing;
    delete from plan p where p.plan = any (gone);
    return cardinality(gone);
end
$$;

-- One batch of changes that generations up to the floor made obsolete, of p_rows such generations' changes or so. A batch is some whole generations, or, of one that has more
-- changes than that, the names after where the last batch ended. What a generation made obsolete are the older versions of its names; and what it deleted needs no
-- tombstone below the floor either. `done`: everything is swept, or another program is at it.
create procedure retire_changes(p_group bigint, p_rows int, inout removed bigint, inout done boolean) language plpgsql as $$
declare
    the_floor bigint;
    state record;
    upto bigint;
    large boolean;
    looked int;
    keys record;
    touched record;
    hit bigint[];
begin
    call retire_by_index();
    removed := 0;
    done := true;
    insert into retirement (zone_group) values (p_group) on conflict do nothing;
    select r.swept, coalesce(r.zone, -9223372036854775808) as zone, coalesce(r.owner, '') as owner, r.forgotten, r.zone is not null as in_the_middle into state
    from retirement r where r.zone_group = p_group for update skip locked;
    select z.floor into the_floor from zone_group z where z.zone_group = p_group and z.floor > 1;
    if state.swept is null or the_floor is null or state.swept >= the_floor then
        rollback;
        return;
    end if;

    select w.generation into upto
    from (
        select g.generation, sum(1 + coalesce(p.changes, 0)::bigint) over (order by g.generation rows unbounded preceding) as total
        from (
            select g.generation, g.plan from generation g
            where g.zone_group = p_group and g.generation > state.swept and g.generation <= the_floor order by g.generation limit p_rows
        ) g
        left join lateral (select p.changes from plan p where p.plan = g.plan offset 0) p on true
    ) w
    where w.total <= p_rows
    order by w.generation desc limit 1;
    -- Where a batch ended within a generation, the next one goes on in it, however small the rest is: the place is one in that generation.
    large := not found or state.in_the_middle;
    if large then
        -- The floor is a generation, so there is one.
        select g.generation into upto from generation g where g.zone_group = p_group and g.generation > state.swept order by g.generation limit 1;
    end if;

    select array_agg(k.zone) as zones, array_agg(k.owner) as owners, array_agg(k.type) as types, array_agg(k.covered) as covereds, array_agg(k.plan) as plans,
           array_agg(k.gone) as gone, coalesce(sum(k.looked), 0) as looked, max(k.zone) as last_zone
    into keys
    from (
        select distinct on (c.zone, c.owner, c.type, c.covered) c.zone, c.owner, c.type, c.covered, c.plan, c.value is null as gone,
               count(*) over (partition by c.zone, c.owner, c.type, c.covered) as looked
        from generation g
        cross join lateral (
            select c.zone, c.owner, c.type, c.covered, c.plan, c.value from change c
            where c.plan = g.plan and (c.zone, c.owner) > (state.zone, state.owner) and c.owner <> ''
            order by c.zone, c.owner
            fetch first (case when large then p_rows else 2000000000 end) rows with ties
        ) c
        where g.zone_group = p_group and g.generation > state.swept and g.generation <= upto
        order by c.zone, c.owner, c.type, c.covered, c.plan desc
    ) k;

    -- Which zones they touched, the newest row that says how many record sets there are, and how far to look for older rows. (One that was admitted out of the order of
    -- the numbers may be overlooked, and is found the next time that its zone is swept.)
    select array_agg(t.zone) as zones, array_agg(t.newest) as newest, array_agg(t.counted) as counted, array_agg(t.plan) as plans into touched
    from (
        select c.zone, max(g.generation) as newest, max(g.generation) filter (where length(c.value) = 9 and get_byte(c.value, 0) = ascii('t')) as counted, max(g.plan) as plan
        from generation g
        cross join lateral (select c.zone, c.value from change c where c.plan = g.plan and c.type = 65536 offset 0) c
        where g.zone_group = p_group and g.generation > state.swept and g.generation <= upto
        group by c.zone
    ) t;

    with gone as (
        delete from change c where c.ctid = any (array (
            select v.ctid
            from unnest(keys.zones, keys.owners, keys.types, keys.covereds, keys.plans, keys.gone) as k (zone, owner, type, covered, plan, gone)
            cross join lateral (
                select c.ctid from change c
                where c.zone = k.zone and c.owner = k.owner and c.type = k.type and c.covered = k.covered and c.plan <= k.plan
                  and (c.plan < k.plan or (k.gone and not (k.type = 6 and k.owner = '@')))
                  and exists (select from generation g where g.plan = c.plan and g.generation <= upto offset 0)
                offset 0
            ) v
            union all
            select v.ctid
            from unnest(touched.zones, touched.newest, touched.counted, touched.plans) as t (zone, newest, counted, plan)
            cross join lateral (
                select c.ctid from change c
                cross join lateral (select g.generation from generation g where g.plan = c.plan offset 0) g
                where c.zone = t.zone and c.owner = '' and c.type = 65536 and c.covered = 0 and c.plan <= t.plan
                  and g.generation < t.newest and (length(c.value) <> 9 or g.generation < t.counted)
                offset 0
            ) v))
        returning c.plan
    )
    select coalesce(array_agg(distinct g.plan), '{}'), count(*) into hit, removed from gone g;

    if large and keys.looked >= p_rows then
        update retirement r set zone = keys.last_zone, owner = (select max(o.owner) from unnest(keys.zones, keys.owners) as o (zone, owner) where o.zone = keys.last_zone)
        where r.zone_group = p_group;
    else
        insert into leftover (plan)
        select g.plan from generation g
        where g.zone_group = p_group and g.generation > state.swept and g.generation <= upto and exists (select from plan_read r where r.plan = g.plan offset 0)
        on conflict do nothing;
        update retirement r set swept = upto, zone = null, owner = null where r.zone_group = p_group;
    end if;
    -- What is younger than that is forgotten when it is old enough (forget_generations).
    perform forget(p_group, array (
        select h.plan from unnest(hit) as h (plan) where exists (select from generation g where g.plan = h.plan and g.generation <= state.forgotten offset 0)));
    done := upto = the_floor and not (large and keys.looked >= p_rows);
    commit;
end
$$;

-- Looks at so many generations that have become old enough, and forgets those of whose plans nothing stands. `forgotten`: how many; `done`: none is left to look at.
create procedure forget_generations(p_group bigint, p_rows int, inout forgotten bigint, inout done boolean) language plpgsql as $$
declare
    the_floor bigint;
    state record;
    before_floor bigint;
    tip bigint;
    upto bigint;
    looked record;
begin
    call retire_by_index();
    forgotten := 0;
    done := true;
    insert into retirement (zone_group) values (p_group) on conflict do nothing;
    select r.swept, r.forgotten into state from retirement r where r.zone_group = p_group for update skip locked;
    select z.floor into the_floor from zone_group z where z.zone_group = p_group;
    select g.generation into tip from generation g where g.zone_group = p_group order by g.generation desc limit 1;
    if state.swept is null or tip - state.forgotten <= generations_remembered() then
        rollback;
        return;
    end if;
    select g.generation into before_floor from generation g where g.zone_group = p_group and g.generation < the_floor order by g.generation desc limit 1;
    select g.generation into upto from generation g
    where g.zone_group = p_group and g.generation < before_floor and g.generation <= state.swept
      and g.generation <= (select o.generation from generation o where o.zone_group = p_group order by o.generation desc offset generations_remembered() limit 1)
    order by g.generation desc limit 1;
    select array_agg(g.plan) as plans, max(g.generation) as upto into looked
    from (select g.generation, g.plan from generation g
          where g.zone_group = p_group and g.generation > state.forgotten and g.generation <= upto order by g.generation limit p_rows) g;
    if looked.upto is null then
        rollback;
        return;
    end if;
    forgotten := forget(p_group, looked.plans);
    update retirement r set forgotten = looked.upto where r.zone_group = p_group;
    done := looked.upto = upto;
    commit;
end
$$;

-- Gives up plans that nobody had admitted within an hour: of so many plans after p_after. Which number was looked at last; null when the rest is younger.
create procedure give_up_plans(p_after bigint, p_rows int, inout looked_to bigint, inout given_up bigint) language plpgsql as $$
declare
    old bigint[];
begin
    call retire_by_index();
    given_up := 0;
    looked_to := null;
    if not pg_try_advisory_xact_lock(7312) then
        rollback;
        return;
    end if;
    select max(p.plan), array_agg(p.plan) filter (where not exists (select from generation g where g.plan = p.plan offset 0)) into looked_to, old
    from (select p.plan, p.at from plan p where p.plan > p_after order by p.plan limit p_rows) p
    where p.at < clock_timestamp() - interval '61 minutes';
    if old is not null then
        insert into leftover (plan) select o.plan from unnest(old) as o (plan) on conflict do nothing;
        delete from plan p where p.plan = any (old);
        get diagnostics given_up = row_count;
    end if;
    commit;
end
$$;

-- So many rows of plans that need them no more.
create procedure retire_leftovers(p_rows int, inout removed bigint) language plpgsql as $$
declare
    plans bigint[];
    reads bigint;
begin
    call retire_by_index();
    removed := 0;
    if not pg_try_advisory_xact_lock(7312) then
        rollback;
        return;
    end if;
    plans := array (select l.plan from leftover l order by l.plan limit 1000);
    if plans = '{}' then
        rollback;
        return;
    end if;
    delete from change c where c.ctid = any (array (
        select v.ctid from unnest(plans) as l (plan) cross join lateral (select c.ctid from change c where c.plan = l.plan offset 0) v
        where not exists (select from plan p where p.plan = l.plan offset 0) limit p_rows));
    get diagnostics removed = row_count;
    delete from plan_read r where r.ctid = any (array (
        select v.ctid from unnest(plans) as l (plan) cross join lateral (select r.ctid from plan_read r where r.plan = l.plan offset 0) v limit p_rows));
    get diagnostics reads = row_count;
    delete from leftover l
    where l.plan = any (plans) and not exists (select from plan_read r where r.plan = l.plan offset 0)
      and (exists (select from plan p where p.plan = l.plan offset 0) or not exists (select from change c where c.plan = l.plan offset 0));
    removed := removed + reads + 1;
    commit;
end
$$;

-- Operators pin and unpin; each act leaves its row in the audit log.
create procedure pin_generation(p_group bigint, p_generation bigint, p_why text, p_token bigint, p_by text, inout p_pin bigint) language plpgsql as $$
begin
    insert into pin (zone_group, generation, why, token, by) values (p_group, p_generation, p_why, p_token, p_by) returning pin.pin into p_pin;
    insert into audit (token, by, act, detail, zone_group)
    values (p_token, p_by, 'pin', jsonb_build_object('pin', p_pin, 'generation', p_generation, 'reason', p_why), p_group);
    commit;
end
$$;
create procedure unpin_generation(p_group bigint, p_pin bigint, p_why text, p_token bigint, p_by text, inout p_generation bigint) language plpgsql as $$
begin
    delete from pin p where p.zone_group = p_group and p.pin = p_pin returning p.generation into p_generation;
    if found then
        insert into audit (token, by, act, detail, zone_group)
        values (p_token, p_by, 'unpin', jsonb_build_object('pin', p_pin, 'generation', p_generation, 'reason', p_why), p_group);
    end if;
    commit;
end
$$;

revoke execute on function forget from public;
revoke execute on procedure retire_by_index, raise_floor, retire_moves, retire_changes, forget_generations, give_up_plans, retire_leftovers, pin_generation, unpin_generation from public;
grant execute on function forget to holdfast_retire;
grant execute on procedure retire_by_index, raise_floor, retire_moves, retire_changes, forget_generations, give_up_plans, retire_leftovers to holdfast_retire;
grant execute on procedure pin_generation, unpin_generation to holdfast_admit;
