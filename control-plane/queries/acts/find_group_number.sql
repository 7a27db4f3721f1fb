-- The number of the group of this name, which has a generation.
select z.zone_group from zone_group z where z.name = $1 and exists (select from generation g where g.zone_group = z.zone_group)
