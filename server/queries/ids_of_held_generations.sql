-- What the history says the generations are that the server holds. One that is missing here is not of this history.
select g.zone_group as "zone_group!", g.id as "id!"
from unnest($1::bigint[], $2::bigint[]) as held (zone_group, generation)
join serving_generation g on g.zone_group = held.zone_group and g.generation = held.generation
