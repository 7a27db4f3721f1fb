-- The heads of these groups in every ring where they have one.
SELECT g.zone_group AS "zone_group!", r.ring, head.generation, head.id
FROM unnest($1::bigint[]) AS g (zone_group)
CROSS JOIN ring r
CROSS JOIN LATERAL (
    SELECT m.generation, n.id
    FROM head_move m JOIN generation n ON n.zone_group = m.zone_group AND n.generation = m.generation
    WHERE m.zone_group = g.zone_group AND m.ring = r.ring ORDER BY m.generation DESC LIMIT 1
) head
ORDER BY g.zone_group, r.ring
