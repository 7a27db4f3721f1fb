-- Begins zones in a group, except those that are there already, in whatever group: the next read tells whose they are.
insert into zone (name, zone_group)
select wanted.name, g.zone_group from zone_group g cross join unnest($2::text[]) as wanted (name) where g.name = $1
on conflict (name) do nothing
