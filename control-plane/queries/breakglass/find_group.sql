-- The number of the group of this name, and its tip.
select z.zone_group, (select max(g.generation) from generation g where g.zone_group = z.zone_group) as tip from zone_group z where z.name = $1
