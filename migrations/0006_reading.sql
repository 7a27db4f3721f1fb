-- Reading the history: what stands at the tip for some names, what stands in a zone at any generation. Tombstones included: a value that is null is gone.

-- The newest admitted version of every (type, covered) that was ever written at the names asked for. Staged plans are passed over. A name with a million
-- versions costs the same as one with a single version: from one (type, covered) to the next by index, and there straight to the greatest plan. Backwards, because
-- there the newest versions are met: the oldest may be many that retirement deleted, and stay in the index until they are vacuumed.
-- The owner '' is no name: for the `touched` rows see touched_at.
create function names_at_tip(zones bigint[], owners text[])
returns table (zone bigint, owner text, type int, covered int, value bytea, plan bigint, generation bigint)
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
begin
    -- unnest would fill up the shorter array, and "no such name" would look like an answer.
    if cardinality(zones) <> cardinality(owners) then
        raise exception using errcode = 'HF013', message = format('%s zones, but %s owners', cardinality(zones), cardinality(owners));
    end if;
    return query
    with recursive kind as (
        select n.zone, n.owner, k.type, k.covered
        from (select distinct u.zone, u.owner collate "C" as owner from unnest(zones, owners) as u (zone, owner) where u.owner <> '') n
        cross join lateral (
            select c.type, c.covered from change c where c.zone = n.zone and c.owner = n.owner order by c.type desc, c.covered desc limit 1
        ) k
        union all
        select k.zone, k.owner, m.type, m.covered
        from kind k
        cross join lateral (
            select c.type, c.covered from change c
            where c.zone = k.zone and c.owner = k.owner and (c.type, c.covered) < (k.type, k.covered)
            order by c.type desc, c.covered desc limit 1
        ) m
    )
    select k.zone, k.owner, k.type, k.covered, newest.value, newest.plan, newest.generation
    from kind k
    cross join lateral (
        select c.value, c.plan, g.generation
        from change c
        cross join lateral (select g.generation from generation g where g.plan = c.plan offset 0) g
        where c.zone = k.zone and c.owner = k.owner and c.type = k.type and c.covered = k.covered
        order by c.plan desc limit 1
    ) newest;
end
$$;

revoke execute on function names_at_tip from public;
grant execute on function names_at_tip to holdfast_admit, holdfast_read;

-- The newest generation at or below `at_generation` that touched a zone, or null: what its serial goes by. The greatest plan is not enough:
--   1. plan 7 and plan 8 change unlike names of one zone;
--   2. plan 8 is admitted as generation 4, plan 7 as generation 5: no conflict, both are right;
--   3. the newest `touched` row by number is plan 8's, but the zone was touched last by generation 5.
-- So that row only says where to stop. Between there and `at_generation` one looks either at the generations or at the zone's own rows, whichever are fewer.
create function touched_at(of_zone bigint, at_generation bigint) returns bigint
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
    of_group bigint;
    upto bigint;
    newest bigint;
    later bigint;
begin
    of_group := case when of_zone < 0 then -of_zone else (select z.zone_group from zone z where z.zone = of_zone) end;
    select g.generation into upto from generation g where g.zone_group = of_group and g.generation <= at_generation order by g.generation desc limit 1;
    -- Most zones were touched lately.
    select t.generation into newest
    from (select g.generation, g.plan from generation g where g.zone_group = of_group and g.generation <= upto order by g.generation desc limit 100) t
    where exists (select from change c where c.plan = t.plan and c.zone = of_zone and c.type = 65536 offset 0)
    order by t.generation desc limit 1;
    if found then
        return newest;
    end if;

    select g.generation into newest
    from change c
    cross join lateral (select g.generation from generation g where g.plan = c.plan and g.generation <= upto offset 0) g
    where c.zone = of_zone and c.owner = '' and c.type = 65536 and c.covered = 0
    order by c.plan desc limit 1;
    if newest is null or newest = upto then
        return newest;
    end if;
    if upto - newest <= (select count(*) from (
        select from change c where c.zone = of_zone and c.owner = '' and c.type = 65536 and c.covered = 0 limit upto - newest) own)
    then
        select g.generation into later
        from generation g
        where g.zone_group = of_group and g.generation > newest and g.generation <= upto
          and exists (select from change c where c.plan = g.plan and c.zone = of_zone and c.type = 65536 offset 0)
        order by g.generation desc limit 1;
    else
        select max(g.generation) into later
        from change c
        cross join lateral (select g.generation from generation g where g.plan = c.plan and g.generation <= upto offset 0) g
        where c.zone = of_zone and c.owner = '' and c.type = 65536 and c.covered = 0;
    end if;
    return coalesce(later, newest);
end
$$;

-- How many record sets stand in a zone at a generation. A `touched` row says how many, or how many more than before (0002_history.sql); a row that says neither counts
-- as no difference. The newest row by number is nearly always the newest by generation, so that is looked at first; why not always, see touched_at.
-- Never max(generation) here and elsewhere on the way of a plan: planned while the table is empty, it is an aggregate over the group's whole history, and stays one
-- for the life of a connection.
create function record_sets_at(of_zone bigint, at_generation bigint) returns bigint
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
    of_group bigint;
    upto bigint := at_generation;
    newest record;
    total bigint := 0;
begin
    of_group := case when of_zone < 0 then -of_zone else (select z.zone_group from zone z where z.zone = of_zone) end;
    loop
        select g.generation into upto from generation g where g.zone_group = of_group and g.generation <= upto order by g.generation desc limit 1;
        select g.generation, c.value into newest
        from change c
        cross join lateral (select g.generation from generation g where g.plan = c.plan and g.generation <= upto offset 0) g
        where c.zone = of_zone and c.owner = '' and c.type = 65536 and c.covered = 0
        order by c.plan desc limit 1;
        if not found then
            return total;
        end if;
        if newest.generation <> upto then
            select g.generation, c.value into newest
            from (select touched_at(of_zone, upto) as generation) t
            join generation g on g.zone_group = of_group and g.generation = t.generation
            cross join lateral (select c.value from change c where c.zone = of_zone and c.owner = '' and c.type = 65536 and c.covered = 0 and c.plan = g.plan offset 0) c;
        end if;
        if length(newest.value) = 9 then
            total := total + ('x' || encode(substr(newest.value, 2), 'hex'))::bit(64)::bigint;
            if get_byte(newest.value, 0) = ascii('t') then
                return total;
            end if;
        end if;
        upto := newest.generation - 1;
    end loop;
end
$$;

-- How many deletes planners' plans had spent in a group when the window of velocity began, an hour ago: what the newest generation says that is older. By halves, since
-- generations and their hours rise together; a clock that was wrong makes the window longer or shorter, and nothing else. A group whose first generations were
-- forgotten, and all of whose others are younger, has spent what the oldest of them says.
create function deletes_spent_before_window(of_group bigint) returns bigint
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
    begins constant timestamptz := clock_timestamp() - interval '1 hour';
    oldest record;
    low bigint;
    high bigint;
    middle record;
    spent bigint;
begin
    select g.generation, g.deletes_spent, g.at into oldest from generation g where g.zone_group = of_group order by g.generation limit 1;
    if not found then
        return 0;
    elsif oldest.at > begins then
        return case oldest.generation when 1 then 0 else oldest.deletes_spent end;
    end if;
    -- Always: `low` is older than the window, and nothing above `high` is.
    low := oldest.generation;
    spent := oldest.deletes_spent;
    select g.generation into high from generation g where g.zone_group = of_group order by g.generation desc limit 1;
    while low < high loop
        -- Numbers that an epoch skipped are passed over.
        select g.generation, g.deletes_spent, g.at into middle from generation g
        where g.zone_group = of_group and g.generation >= low + (high - low + 1) / 2 order by g.generation limit 1;
        if middle.at <= begins then
            low := middle.generation;
            spent := middle.deletes_spent;
        else
            high := low + (high - low + 1) / 2 - 1;
        end if;
    end loop;
    return spent;
end
$$;

-- The whole state of a zone at a generation, its newest `touched` row included. Two ways, and no knowing beforehand which is the cheaper:
--   key by key, straight to the newest version: good when few names have a long history (a thousand names with a million versions: 20 ms against 5 s);
--   all versions of the zone, sorted: good when many names have a short one (a hundred thousand names: 0.1 s against 1 s).
-- So the first is tried, and given up after so many keys; what was wasted then is little beside what the second costs.
create function zone_at(of_zone bigint, at_generation bigint)
returns table (zone bigint, owner text, type int, covered int, value bytea, plan bigint, generation bigint)
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
    keys_tried_max constant int := 3000;
    owners text[];
    types int[];
    covereds int[];
    of_group bigint;
    greatest_plan bigint;
    touched bigint;
begin
    of_group := case when of_zone < 0 then -of_zone else (select z.zone_group from zone z where z.zone = of_zone) end;
    -- No version at or below the generation has a greater number than this, so a look into the past need not walk back through all that came after.
    select g.plan into greatest_plan from generation g
    where g.zone_group = of_group and g.generation <= at_generation order by g.zone_group desc, g.plan desc limit 1;
    if greatest_plan is null then
        return;
    end if;

    with recursive kind as (
        (select c.owner, c.type, c.covered from change c where c.zone = of_zone and c.owner > '' order by c.owner, c.type, c.covered limit 1)
        union all
        select m.owner, m.type, m.covered
        from kind k
        cross join lateral (
            select c.owner, c.type, c.covered from change c
            where c.zone = of_zone and (c.owner, c.type, c.covered) > (k.owner, k.type, k.covered)
            order by c.owner, c.type, c.covered limit 1
        ) m
    )
    select array_agg(k.owner), array_agg(k.type), array_agg(k.covered) into owners, types, covereds
    from (select k.owner, k.type, k.covered from kind k limit keys_tried_max) k;

    if cardinality(owners) < keys_tried_max then
        return query
        select of_zone, k.owner, k.type, k.covered, newest.value, newest.plan, newest.generation
        from unnest(owners, types, covereds) as k (owner, type, covered)
        cross join lateral (
            select c.value, c.plan, g.generation
            from change c
            cross join lateral (select g.generation from generation g where g.plan = c.plan and g.generation <= at_generation offset 0) g
            where c.zone = of_zone and c.owner = k.owner and c.type = k.type and c.covered = k.covered and c.plan <= greatest_plan
            order by c.plan desc limit 1
        ) newest;
    else
        return query
        select distinct on (c.owner, c.type, c.covered) of_zone, c.owner, c.type, c.covered, c.value, c.plan, g.generation
        from change c
        join generation g on g.plan = c.plan
        where c.zone = of_zone and c.owner > '' and g.generation <= at_generation
        order by c.owner, c.type, c.covered, c.plan desc;
    end if;

    touched := touched_at(of_zone, at_generation);
    return query
    select c.zone, c.owner, c.type, c.covered, c.value, c.plan, g.generation
    from generation g
    cross join lateral (
        select c.* from change c where c.zone = of_zone and c.owner = '' and c.type = 65536 and c.covered = 0 and c.plan = g.plan offset 0
    ) c
    where g.zone_group = of_group and g.generation = touched;
end
$$;

revoke execute on function zone_at, touched_at, record_sets_at, deletes_spent_before_window from public;
grant execute on function zone_at, touched_at, record_sets_at, deletes_spent_before_window to holdfast_admit, holdfast_read;
