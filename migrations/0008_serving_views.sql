-- What DNS servers may read: the only bridge between the control plane and them. Columns are added at the end and never change their meaning.

-- One row per group and ring that has a move. What is not selected is not looked up: nobody pays for parents who does not ask. An increment from
-- below the floor may lack deletions that were retired.
create view serving_head (ring, zone_group, group_name, generation, id, digest, parent_generation, parent_id, floor) as
select r.ring, z.zone_group, z.name, g.generation, g.id, g.digest,
    (select p.generation from generation p where p.zone_group = g.zone_group and p.generation < g.generation order by p.generation desc limit 1),
    (select p.id from generation p where p.zone_group = g.zone_group and p.generation < g.generation order by p.generation desc limit 1),
    z.floor
from ring r
cross join zone_group z
cross join lateral (
    select m.generation from head_move m where m.zone_group = z.zone_group and m.ring = r.ring order by m.generation desc limit 1
) head
cross join lateral (
    select g.zone_group, g.generation, g.id, g.digest from generation g where g.zone_group = z.zone_group and g.generation = head.generation offset 0
) g;

-- The same without the generations' rows, for a tick over ten thousand groups.
create view serving_tick (ring, zone_group, generation) as
select r.ring, z.zone_group, head.generation
from ring r
cross join zone_group z
cross join lateral (
    select m.generation from head_move m where m.zone_group = z.zone_group and m.ring = r.ring order by m.generation desc limit 1
) head;

create view serving_generation (zone_group, generation, plan, id, digest) as
select zone_group, generation, plan, id, digest from generation;

-- Ask for it by the plans of generations, as below; it shows staged plans too, and no generation names those. A left join, because the planner leaves that out when
-- nobody asks for the name. What changed from generation s to t (s = 0: all that stands at t), tombstones included:
--
--   select distinct on (c.zone, c.owner, c.type, c.covered) c.*, g.generation
--   from serving_generation g cross join lateral (select * from serving_change c where c.plan = g.plan offset 0) c
--   where g.zone_group = X and g.generation > s and g.generation <= t
--   order by c.zone, c.owner, c.type, c.covered, g.generation desc
--
-- "offset 0" makes it a look-up per plan even while the tables have no statistics. And it is ordered by generation: the `touched` rows of a zone may be admitted in
-- another order than that of their plans' numbers (0006_reading.sql).
create view serving_change (plan, zone, zone_name, owner, type, covered, value) as
select c.plan, c.zone, z.name, c.owner, c.type, c.covered, c.value from change c left join zone z on z.zone = c.zone;

create view serving_zone (zone, name, zone_group) as
select zone, name, zone_group from zone;

grant select on serving_head, serving_tick, serving_generation, serving_change, serving_zone to holdfast_serve, holdfast_read;
