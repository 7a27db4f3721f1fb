-- The pins of a group after pin $2, $3 at most.
SELECT p.pin, p.generation, p.why, p.by, p.at FROM pin p WHERE p.zone_group = $1 AND p.pin > $2 ORDER BY p.pin LIMIT $3
