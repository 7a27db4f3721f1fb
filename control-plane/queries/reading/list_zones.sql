-- Zones (of the group named $3, unless null) in order of their names, from after $1 on, $2 at most, with what their serials at the tip go by. A zone that no
-- generation touched does not exist: its first plan was not admitted.
SELECT z.name, z.group_name AS "group_name!", touched.generation AS "touched!", set_last.value AS "value?", set_last.generation AS "set_in?"
FROM (
    SELECT z.zone, z.name, g.name AS group_name FROM zone z JOIN zone_group g ON g.zone_group = z.zone_group
    WHERE z.name > $1 AND ($3::text IS NULL OR g.name = $3)
) z
CROSS JOIN LATERAL (SELECT touched_at(z.zone, 9223372036854775807) AS generation OFFSET 0) touched
LEFT JOIN LATERAL (
    SELECT c.value, g.generation
    FROM change c
    CROSS JOIN LATERAL (SELECT g.generation FROM generation g WHERE g.plan = c.plan OFFSET 0) g
    WHERE c.zone = z.zone AND c.owner = '@' AND c.type = 65537 AND c.covered = 0
    ORDER BY c.plan DESC LIMIT 1
) set_last ON true
WHERE touched.generation IS NOT NULL
ORDER BY z.name
LIMIT $2
