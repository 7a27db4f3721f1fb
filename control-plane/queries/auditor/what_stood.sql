-- What stood under these keys at these generations of their groups, each by its place: nothing where nothing ever was, no value where it was gone.
select q.place as "place!", c.value as "value?", c.generation as "generation!"
from unnest($1::bigint[], $2::text[], $3::int[], $4::bigint[]) with ordinality as q (zone, owner, rtype, at_generation, place)
cross join lateral (
    select c.value, g.generation
    from change c
    cross join lateral (select g.generation from generation g where g.plan = c.plan and g.generation <= q.at_generation offset 0) g
    where c.zone = q.zone and c.owner = q.owner and c.type = q.rtype and c.covered = 0
    order by c.plan desc limit 1
) c
