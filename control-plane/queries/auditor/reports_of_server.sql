-- What instance $2 of server $1 says it serves: the groups after $3, $4 of them, and those of $5; of the others nothing is known here.
select r.zone_group as "zone_group!", z.name as "name!", r.generation as "generation!", r.id as "id!"
from (
    (select r.zone_group, r.generation, r.id from report r where r.server = $1 and r.instance = $2 and r.zone_group > $3 order by r.zone_group limit $4)
    union
    select r.zone_group, r.generation, r.id from report r where r.server = $1 and r.instance = $2 and r.zone_group = any ($5::bigint[])
) r
join zone_group z on z.zone_group = r.zone_group
order by r.zone_group
