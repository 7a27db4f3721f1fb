-- What this instance was told to install and refuses, for the groups in which that changed.
insert into fault (server, instance, zone_group, generation, id, why)
select $1, $2, refused.zone_group, refused.generation, refused.id, refused.why
from unnest($3::bigint[], $4::bigint[], $5::bytea[], $6::text[]) as refused (zone_group, generation, id, why)
on conflict (server, instance, zone_group) do update set generation = excluded.generation, id = excluded.id, why = excluded.why, at = now()
