-- Reads all that the admission of some plans is decided on, in one statement and so in one snapshot: their groups with tips, floors and settings, their bases, their
-- zones, and the newest version of everything in their footprints.
-- $1 groups, $2 and $3 group and number of each base, $4 zones, $5 and $6 zone and owner of each name in a footprint, $7 zones that are in one as a whole,
-- $8 zones whose serial is judged (for others any generation that touched the zone will do: it says that the zone has begun), $9 groups in which something may be
-- deleted: for others nobody asks what was deleted within the hour, by the database's clock.
with
asked as (
    select zone_group, name, floor from zone_group where name = any ($1::text[])
),
known as (
    select z.zone, z.name, o.name as group_name from zone z join zone_group o on o.zone_group = z.zone_group where z.name = any ($4::text[])
),
-- A group's settings stand in a zone of their own, with the group's number below zero.
wanted as (
    select k.zone, u.owner from unnest($5::text[], $6::text[]) as u (zone_name, owner) join known k on k.name = u.zone_name
    union all
    select -asked.zone_group, '@' from asked
)
select 'group' as "kind!", asked.name as group_name, null::text as zone_name, null::text as owner, null::int as type, null::int as covered, tip.id as value,
       tip.generation, asked.zone_group as number, tip.digest, tip.answers, tip.deletes_spent, asked.floor,
       case when asked.name = any ($9::text[]) then deletes_spent_before_window(asked.zone_group) end as deletes_spent_before, null::bigint as record_sets
from asked left join lateral (
    select g.generation, g.id, g.digest, g.answers, g.deletes_spent from generation g where g.zone_group = asked.zone_group order by g.generation desc limit 1
) tip on true
union all
select 'base', asked.name, null, null, null, null, g.id, g.generation, null, null, null, null, null, null, null
from unnest($2::text[], $3::bigint[]) as b (group_name, base)
join asked on asked.name = b.group_name
-- By both columns, also where the plan was made while the table was empty: by the group alone it is the whole history, and stays so until somebody analyzes.
cross join lateral (select g.id, g.generation from generation g where g.zone_group = asked.zone_group and g.generation = b.base offset 0) g
union all
select 'zone', known.group_name, known.name, null, null, null, null, case when known.name = any ($8::text[]) then touched_at(known.zone, 9223372036854775807) else begun.generation end,
       known.zone, null, null, null, null, null, record_sets_at(known.zone, 9223372036854775807)
from known left join lateral (
    select g.generation
    from change c cross join lateral (select g.generation from generation g where g.plan = c.plan offset 0) g
    where c.zone = known.zone and c.owner = '' and c.type = 65536 and c.covered = 0
    limit 1
) begun on true
union all
select case when n.zone < 0 then 'setting' else 'row' end, asked.name, known.name, n.owner, n.type, n.covered, n.value, n.generation, null, null, null, null, null, null, null
from names_at_tip(
        array (select w.zone from wanted w order by w.zone, w.owner),
        array (select w.owner from wanted w order by w.zone, w.owner)
     ) n
left join known on known.zone = n.zone
left join asked on asked.zone_group = -n.zone
union all
select 'row', null, known.name, s.owner, s.type, s.covered, s.value, s.generation, null, null, null, null, null, null, null
from known cross join lateral zone_at(known.zone, 9223372036854775807) s
where known.name = any ($7::text[]) and s.type <> 65536
