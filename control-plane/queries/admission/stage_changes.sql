-- Stages a batch of a plan's changes; refused once a generation names the plan. A value that is null means gone.
insert into change (zone, owner, type, covered, plan, value)
select c.zone, c.owner, c.type, c.covered, $1, c.value
from unnest($2::bigint[], $3::text[], $4::int[], $5::int[], $6::bytea[]) as c (zone, owner, type, covered, value)
