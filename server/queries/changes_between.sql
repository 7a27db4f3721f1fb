-- What the generations (above, upto] of some groups changed: per key the version of the greatest plan, which is the newest. "offset 0" makes it a look-up per
-- plan: a plain join goes by statistics, which know nothing of plans of a million rows beside plans of one.
select distinct on (c.zone, c.owner, c.type, c.covered)
    c.zone as "zone!", c.owner as "owner!", c.type as "rtype!", c.covered as "covered!", c.plan as "plan!", c.value
from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as wanted (zone_group, above, upto)
cross join lateral (
    select g.plan from serving_generation g
    where g.zone_group = wanted.zone_group and g.generation > wanted.above and g.generation <= wanted.upto
    offset 0
) g
cross join lateral (
    select c.zone, c.owner, c.type, c.covered, c.plan, c.value from serving_change c where c.plan = g.plan offset 0
) c
where c.type <> 65536
order by c.zone, c.owner, c.type, c.covered, c.plan desc
