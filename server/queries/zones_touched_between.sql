-- The zones changed by the generations (above, upto] of some groups, and the newest generation that changed each. The newest by plan number would not do:
-- plans may be admitted in another order than they were numbered in.
select z.zone as "zone!", z.name as "name!", z.zone_group as "zone_group!", max(g.generation) as "generation!"
from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as wanted (zone_group, above, upto)
cross join lateral (
    select g.generation, g.plan from serving_generation g
    where g.zone_group = wanted.zone_group and g.generation > wanted.above and g.generation <= wanted.upto
    offset 0
) g
cross join lateral (select c.zone from serving_change c where c.plan = g.plan and c.type = 65536 offset 0) c
join serving_zone z on z.zone = c.zone
group by z.zone, z.name, z.zone_group
