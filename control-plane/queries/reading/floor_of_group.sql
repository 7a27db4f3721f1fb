-- The oldest generation of a group that can be read now.
SELECT floor FROM zone_group WHERE zone_group = $1
