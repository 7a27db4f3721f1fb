-- In which generation these zones were touched last, up to these generations, each by its place.
select q.place as "place!", touched_at(q.zone, q.at_generation) as "touched?"
from unnest($1::bigint[], $2::bigint[]) with ordinality as q (zone, at_generation, place)
