-- The oldest generation of a group that is pinned.
SELECT p.generation FROM pin p WHERE p.zone_group = $1 ORDER BY p.generation LIMIT 1
