-- The settings of a group and the guards in its zones that stand at the tip; a setting that went back to its default is not among them.
select null as "zone_name?", n.owner as "owner!", n.type as "rtype!", n.covered as "covered!", n.value as "value!", n.generation as "generation!"
from names_at_tip(array[-$1::bigint], array['@']) n
where n.value is not null
union all
select z.name, k.owner, 65538, k.covered, newest.value, newest.generation
from zone z
cross join lateral (select distinct c.owner, c.covered from change c where c.zone = z.zone and c.type = 65538) k
cross join lateral (
    select c.value, g.generation
    from change c
    cross join lateral (select g.generation from generation g where g.plan = c.plan offset 0) g
    where c.zone = z.zone and c.owner = k.owner and c.type = 65538 and c.covered = k.covered
    order by c.plan desc limit 1
) newest
where z.zone_group = $1 and newest.value is not null
order by 1, 2, 3, 4
limit 1000
