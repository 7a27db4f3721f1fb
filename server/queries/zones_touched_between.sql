-- The zones changed by the generations (above, upto] of some groups, and the newest generation that changed each. The newest by plan number would not do:
-- plans may be admitted in another order than they were numbered in.
select c.zone as "zone!", z.name as "name!", z.zone_group as "zone_group!", max(g.generation) as "generation!"
from serving_change c
join serving_generation g on g.plan = c.plan
join serving_zone z on z.zone = c.zone
where c.type = 65536
  and c.plan = any (array (
    select wanted_generation.plan
    from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as wanted (zone_group, above, upto)
    join serving_generation wanted_generation
      on wanted_generation.zone_group = wanted.zone_group
     and wanted_generation.generation > wanted.above
     and wanted_generation.generation <= wanted.upto))
group by c.zone, z.name, z.zone_group
