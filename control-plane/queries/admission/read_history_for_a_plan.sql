-- Reads all that a plan's admission is decided on, in one statement and so in one snapshot: group, tip, base, zones, and the newest version of everything in its footprint.
-- $1 group, $2 base, $3 the plan's zones, $4 and $5 zone and owner of each name in the footprint, $6 zones that are in the footprint as a whole.
with
asked as (
    select zone_group from zone_group where name = $1
),
tip as (
    select g.generation, g.id, g.digest
    from asked cross join lateral (
        select generation, id, digest from generation g where g.zone_group = asked.zone_group order by generation desc limit 1
    ) g
),
known as (
    select z.zone, z.name, z.zone_group, o.name as group_name from zone z join zone_group o on o.zone_group = z.zone_group where z.name = any ($3::text[])
)
select 'group' as "kind!", null::text as zone_name, null::text as owner, null::int as type, null::int as covered, null::bytea as value,
       null::bigint as generation, asked.zone_group as number, null::bytea as digest
from asked
union all
select 'tip', null, null, null, null, tip.id, tip.generation, null, tip.digest from tip
union all
select 'base', null, null, null, null, g.id, g.generation, null, null
from asked join generation g on g.zone_group = asked.zone_group and g.generation = $2
union all
select 'zone', known.name, known.group_name, null, null, null, touched_at(known.zone, (select generation from tip)), known.zone, null
from known
union all
select 'row', known.name, n.owner, n.type, n.covered, n.value, n.generation, null, null
from names_at_tip(
        array (select k.zone from unnest($4::text[], $5::text[]) as u (zone_name, owner) join known k on k.name = u.zone_name order by u.zone_name, u.owner),
        array (select u.owner from unnest($4::text[], $5::text[]) as u (zone_name, owner) join known k on k.name = u.zone_name order by u.zone_name, u.owner)
     ) n
join known on known.zone = n.zone
union all
select 'row', known.name, s.owner, s.type, s.covered, s.value, s.generation, null, null
from known cross join lateral zone_at(known.zone, (select generation from tip)) s
where known.name = any ($6::text[]) and s.type <> 65536
