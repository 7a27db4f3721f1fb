-- Reads what the plans of a staged plan's group changed above generation $2: names, where they point to now, and settings (in a zone below zero). $3 rows at most.
with mine as (
    select p.zone_group from plan p where p.plan = $1
)
select c.zone as "zone!", z.name as "zone_name?", c.owner as "owner!", c.points_to as "points_to?: Vec<String>"
from mine
join generation g on g.zone_group = mine.zone_group and g.generation > $2
cross join lateral (select c.zone, c.owner, c.points_to from change c where c.plan = g.plan and c.owner <> '' offset 0) c
left join zone z on z.zone = c.zone
limit $3
