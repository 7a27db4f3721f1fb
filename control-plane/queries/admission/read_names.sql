-- Reads the newest version of everything at some names: $1 and $2 zone and owner of each.
select z.name as "zone_name!", n.owner as "owner!", n.type as "rtype!", n.covered as "covered!", n.value, n.generation as "generation!"
from names_at_tip($1::bigint[], $2::text[]) n
join zone z on z.zone = n.zone
