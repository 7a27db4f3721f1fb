-- The oldest generation of a zone's group that can be read now.
SELECT g.floor FROM zone z JOIN zone_group g ON g.zone_group = z.zone_group WHERE z.zone = $1
