-- What other groups have around a zone that begins or ends: read by the guard `other-groups`, which decides (plan-rules).

-- A zone lives when its SOA stands at the tip of its group.
create function zone_lives(of_zone bigint) returns boolean language sql stable as $$
    select coalesce((
        select c.value is not null from change c
        where c.zone = of_zone and c.owner = '@' and c.type = 6 and c.covered = 0 and exists (select from generation g where g.plan = c.plan offset 0)
        order by c.plan desc limit 1), false)
$$;

-- One row for each finding about the zone `of_name` of the group `of_group`; `enclosing` are the names above it, up to the root. Only what encloses it most closely
-- counts, and what it encloses most closely: whatever is further away is covered already.
--   above, delegates   the living zone that encloses it, if that is another group's; `delegates` when it has NS at its name
--   guarded            a name at or below it (relative to that zone) that the zone above guards, ten at most
--   below              a living zone of another group within it, with no living zone in between, ten at most; only asked of one that ends
create function what_is_around(of_name text, of_group text, enclosing text[], ends boolean) returns table (what text, zone_name text, owner text)
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
    nearest record;
    relative text;
    suffix constant text := case of_name when '.' then '.' else '.' || of_name end;
begin
    select z.zone, z.name, g.name as group_name into nearest
    from unnest(enclosing) with ordinality as e (name, distance)
    join zone z on z.name = e.name
    join zone_group g on g.zone_group = z.zone_group
    where zone_lives(z.zone)
    order by e.distance limit 1;
    if found and nearest.group_name <> of_group then
        relative := case nearest.name when '.' then left(of_name, -1) else left(of_name, -length(nearest.name) - 1) end;
        return query
        select case when exists (select from names_at_tip(array[nearest.zone], array[relative]) n where n.type = 2 and n.value is not null) then 'delegates' else 'above' end,
            nearest.name, null::text;
        return query
        select 'guarded', nearest.name, k.owner
        from (select distinct c.owner, c.covered from change c where c.zone = nearest.zone and c.type = 65538) k
        cross join lateral (
            select c.value from change c
            where c.zone = nearest.zone and c.owner = k.owner and c.type = 65538 and c.covered = k.covered and exists (select from generation g where g.plan = c.plan offset 0)
            order by c.plan desc limit 1
        ) newest
        where newest.value is not null
          -- At it, or below it: what stands before is whole labels, and its last dot is not an escaped one.
          and (k.owner = relative or (right(k.owner, length(relative) + 1) = '.' || relative and left(k.owner, -length(relative) - 1) ~ '^([^\\]|\\.)*$'))
        order by k.owner limit 10;
    end if;
    if ends then
        return query
        with within as (
            select z.zone, z.name, g.name as group_name
            from zone z join zone_group g on g.zone_group = z.zone_group
            where z.name <> of_name and right(z.name, length(suffix)) = suffix and left(z.name, -length(suffix)) ~ '^([^\\]|\\.)*$' and zone_lives(z.zone)
        )
        select 'below', w.name, null::text
        from within w
        where w.group_name <> of_group
          and not exists (select from within between_them where w.name <> between_them.name and right(w.name, length(between_them.name) + 1) = '.' || between_them.name
                          and left(w.name, -length(between_them.name) - 1) ~ '^([^\\]|\\.)*$')
        order by w.name limit 10;
    end if;
end
$$;

revoke execute on function zone_lives, what_is_around from public;
grant execute on function zone_lives, what_is_around to holdfast_admit;
