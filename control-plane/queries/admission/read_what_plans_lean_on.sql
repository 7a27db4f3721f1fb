-- Reads what decisions lean on beyond their plans' footprints, but for the names in zones that it finds (read_names.sql).
-- $1 and $2 group and name: the group's living zone of that name, if it has one. $3 and $4 group and name: what stands in the group and points there.
-- $5 to $8 group, zone, the names above it (with spaces between), and whether it ends: what other groups have around a zone that begins or ends.
select 'zone' as "kind!", u.group_name as "group_name!", u.name as "about!", z.zone as number, z.name as zone_name, null::text as owner, null::int as type, null::int as covered
from unnest($1::text[], $2::text[]) as u (group_name, name)
join zone_group g on g.name = u.group_name
join zone z on z.name = u.name and z.zone_group = g.zone_group
where zone_lives(z.zone)
union all
select 'pointer', u.group_name, u.name, null, z.name, p.owner, p.type, p.covered
from unnest($3::text[], $4::text[]) as u (group_name, name)
join zone_group g on g.name = u.group_name
cross join lateral (select distinct c.zone, c.owner, c.type, c.covered from change c where c.points_to @> array[u.name] offset 0) p
join zone z on z.zone = p.zone and z.zone_group = g.zone_group
cross join lateral (
    select c.points_to
    from change c
    where c.zone = p.zone and c.owner = p.owner and c.type = p.type and c.covered = p.covered
      and exists (select from generation n where n.plan = c.plan offset 0)
    order by c.plan desc limit 1
) newest
where u.name = any (newest.points_to)
union all
select a.what, u.group_name, u.name, null, a.zone_name, a.owner, null, null
from unnest($5::text[], $6::text[], $7::text[], $8::boolean[]) as u (group_name, name, enclosing, ends)
cross join lateral what_is_around(u.name, u.group_name, string_to_array(u.enclosing, ' '), u.ends) a
