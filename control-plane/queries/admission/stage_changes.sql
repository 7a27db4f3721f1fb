-- Stages a batch of a plan's changes; refused once a generation names the plan. A value that is null means gone; names that are pointed at have a space between them.
insert into change (zone, owner, type, covered, plan, value, points_to)
select c.zone, c.owner, c.type, c.covered, $1, c.value, string_to_array(c.points_to, ' ')
from unnest($2::bigint[], $3::text[], $4::int[], $5::int[], $6::bytea[], $7::text[]) as c (zone, owner, type, covered, value, points_to)
