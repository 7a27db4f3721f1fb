-- Every ring that has not ended, the first one first, and the head of group $1 there.
SELECT r.ring, head.generation AS "generation?", head.id AS "id?"
FROM ring r
LEFT JOIN LATERAL (
    SELECT m.generation, n.id
    FROM head_move m JOIN generation n ON n.zone_group = m.zone_group AND n.generation = m.generation
    WHERE m.zone_group = $1 AND m.ring = r.ring ORDER BY m.generation DESC LIMIT 1
) head ON true
WHERE r.ended IS NULL
ORDER BY r.first DESC, r.delay, r.ring
