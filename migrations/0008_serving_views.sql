-- What DNS servers may read: the only bridge between the control plane and them. Columns are added at the end and never change their meaning.

-- One row per group and ring that has a move. What is not selected is not looked up, so a tick that compares (zone_group, generation, id) pays for no parents.
create view serving_head (ring, zone_group, group_name, generation, id, digest, parent_generation, parent_id) as
select r.ring, z.zone_group, z.name, g.generation, g.id, g.digest,
    (select max(p.generation) from generation p where p.zone_group = g.zone_group and p.generation < g.generation),
    (select p.id from generation p where p.zone_group = g.zone_group and p.generation < g.generation order by p.generation desc limit 1)
from ring r
cross join zone_group z
cross join lateral (
    select m.generation from head_move m where m.zone_group = z.zone_group and m.ring = r.ring order by m.generation desc limit 1
) head
cross join lateral (
    select g.zone_group, g.generation, g.id, g.digest from generation g where g.zone_group = z.zone_group and g.generation = head.generation offset 0
) g;

create view serving_generation (zone_group, generation, plan, id, digest) as
select zone_group, generation, plan, id, digest from generation;

-- Ask for it by plans: `where plan = any (array (select plan from serving_generation where …))`. It shows staged plans too; no generation names them.
-- A left join, because the planner leaves that out when nobody asks for the name.
create view serving_change (plan, zone, zone_name, owner, type, covered, value) as
select c.plan, c.zone, z.name, c.owner, c.type, c.covered, c.value from change c left join zone z on z.zone = c.zone;

create view serving_zone (zone, name, zone_group) as
select zone, name, zone_group from zone;

grant select on serving_head, serving_generation, serving_change, serving_zone to holdfast_serve, holdfast_read;
