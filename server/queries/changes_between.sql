-- What the generations (above, upto] of some groups changed: per key the version of the greatest plan, which is the newest. The array makes the planner go by
-- plan; a plain join is 20 to 1,000 times slower, because its statistics know nothing of plans of a million rows beside plans of one.
select distinct on (c.zone, c.owner, c.type, c.covered)
    c.zone as "zone!", c.owner as "owner!", c.type as "rtype!", c.covered as "covered!", c.plan as "plan!", c.value
from serving_change c
where c.type <> 65536
  and c.plan = any (array (
    select wanted_generation.plan
    from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as wanted (zone_group, above, upto)
    join serving_generation wanted_generation
      on wanted_generation.zone_group = wanted.zone_group
     and wanted_generation.generation > wanted.above
     and wanted_generation.generation <= wanted.upto))
order by c.zone, c.owner, c.type, c.covered, c.plan desc
