-- The zone of group $1 to go through next: the first from $2 on, else the first of all.
select coalesce((select min(z.zone) from zone z where z.zone_group = $1 and z.zone >= $2), (select min(z.zone) from zone z where z.zone_group = $1)) as zone
