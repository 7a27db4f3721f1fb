-- What this instance serves, for the groups that changed. Said after the install, never before.
insert into report (server, instance, zone_group, generation, id)
select $1, $2, served.zone_group, served.generation, served.id
from unnest($3::bigint[], $4::bigint[], $5::bytea[]) as served (zone_group, generation, id)
on conflict (server, instance, zone_group) do update set generation = excluded.generation, id = excluded.id, at = now()
