-- The head of a group in every ring that has not ended; null where the ring has not moved yet.
SELECT r.ring AS "ring!", head.generation AS "generation?"
FROM ring r
LEFT JOIN LATERAL (SELECT m.generation FROM head_move m WHERE m.zone_group = $1 AND m.ring = r.ring ORDER BY m.generation DESC LIMIT 1) head ON true
WHERE r.ended IS NULL
