-- The record sets that changed in group $1 after generation $2, each with what stood then; no value for nothing.
select z.name as "zone_name!", k.owner as "owner!", k.type as "rtype!", k.covered as "covered!", former.value as "value?"
from (
    select distinct c.zone, c.owner, c.type, c.covered
    from generation g
    cross join lateral (select c.zone, c.owner, c.type, c.covered from change c where c.plan = g.plan and c.type < 65536 offset 0) c
    where g.zone_group = $1 and g.generation > $2
) k
join zone z on z.zone = k.zone
left join lateral (
    select c.value
    from change c
    cross join lateral (select g.generation from generation g where g.plan = c.plan and g.generation <= $2 offset 0) g
    where c.zone = k.zone and c.owner = k.owner and c.type = k.type and c.covered = k.covered
    order by c.plan desc limit 1
) former on true
