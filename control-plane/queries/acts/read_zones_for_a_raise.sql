-- The tip of a group, every zone that it ever had, and the greatest generation that a server reports of it: what raising its epoch begins with.
select g.zone_group, tip.generation as tip,
    (select max(r.generation) from report r join server s on s.server = r.server and s.instance = r.instance
     where r.zone_group = g.zone_group and s.forgotten is null) as reported,
    array (select z.name from zone z where z.zone_group = g.zone_group order by z.name) as "zones!"
from zone_group g
cross join lateral (select n.generation from generation n where n.zone_group = g.zone_group order by n.generation desc limit 1) tip
where g.name = $1
