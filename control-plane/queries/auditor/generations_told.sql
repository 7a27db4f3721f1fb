-- What the history knows of these generations of these groups, each by its place; nothing of one that has been retired, or was never there.
select q.place as "place!", g.id as "id!"
from unnest($1::bigint[], $2::bigint[]) with ordinality as q (zone_group, generation, place)
join zone_group z on z.zone_group = q.zone_group and z.floor <= q.generation
join generation g on g.zone_group = q.zone_group and g.generation = q.generation
