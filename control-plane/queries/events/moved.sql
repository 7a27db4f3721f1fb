-- Moves above the head that $1 sees, which $2 sees and $1 does not, by group, ring and generation, from after ($3, $4, $5) on, $6 at most. A move that came late, below
-- a greater one, moved nothing.
SELECT z.zone_group, z.name AS group_name, r.ring, m.generation AS "generation!", m.id AS "id!", m.at AS "at!", m.by AS "by!"
FROM zone_group z
CROSS JOIN ring r
CROSS JOIN LATERAL (
    SELECT m.xact FROM head_move m WHERE m.zone_group = z.zone_group AND m.ring = r.ring ORDER BY m.generation DESC LIMIT 1
) head
CROSS JOIN LATERAL (
    SELECT m.generation, g.id, m.at, m.by
    FROM head_move m
    JOIN generation g ON g.zone_group = m.zone_group AND g.generation = m.generation
    WHERE m.zone_group = z.zone_group AND m.ring = r.ring AND pg_visible_in_snapshot(m.xact, $2::text::pg_snapshot)
        AND m.generation > greatest(
            (SELECT n.generation FROM head_move n
             WHERE n.zone_group = z.zone_group AND n.ring = r.ring AND pg_visible_in_snapshot(n.xact, $1::text::pg_snapshot)
             ORDER BY n.generation DESC LIMIT 1),
            CASE WHEN z.zone_group = $3 AND r.ring = $4 THEN $5::bigint ELSE 0 END)
    ORDER BY m.generation LIMIT $6
) m
WHERE (z.zone_group, r.ring) >= ($3, $4) AND NOT pg_visible_in_snapshot(head.xact, $1::text::pg_snapshot)
ORDER BY z.zone_group, r.ring, m.generation
LIMIT $6
