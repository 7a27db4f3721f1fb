-- What to ask about group $1 at generation $2: SOA of some zones, guarded sets, what changed lately, and the next sets in the order of keys, from after ($4, $5) in
-- zone $3 on. $6 of each.
(select 'zone' as "kind!", z.zone as "zone!", z.name as "zone_name!", '@' as "owner!", 6 as "rtype!"
    from (select z.zone, z.name from zone z where z.zone_group = $1 order by random() limit $6) z)
union all
(select 'guarded', z.zone, z.name, c.owner, c.covered
    from zone z
    cross join lateral (select distinct c.owner, c.covered from change c where c.zone = z.zone and c.type = 65538 limit 1000) c
    where z.zone_group = $1
    order by random() limit $6)
union all
(select 'recent', z.zone, z.name, c.owner, c.type
    from (select g.plan from generation g where g.zone_group = $1 and g.generation <= $2 order by g.generation desc limit 8) g
    cross join lateral (select c.zone, c.owner, c.type from change c where c.plan = g.plan and c.type < 65536 and c.covered = 0 limit $6) c
    join zone z on z.zone = c.zone
    limit $6 * 2)
union all
(select 'next', z.zone, z.name, c.owner, c.type
    from zone z
    cross join lateral (
        select distinct c.owner, c.type from change c where c.zone = z.zone and (c.owner, c.type) > ($4, $5::int) and c.type < 65536 and c.covered = 0
        order by c.owner, c.type limit $6
    ) c
    where z.zone = $3 and z.zone_group = $1)
