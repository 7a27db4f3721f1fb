-- Generations that $2 sees and $1 does not, by group and number, from after ($3, $4) on, $5 at most. A group of which $1 sees the tip has none.
SELECT z.zone_group, z.name AS group_name, g.generation AS "generation!", g.id AS "id!", g.at AS "at!", p.kind, p.base, p.rolled_back_to, p.reason,
    p.acknowledged, p.added, p.replaced, p.deleted, t.name AS "by?"
FROM zone_group z
CROSS JOIN LATERAL (SELECT g.xact FROM generation g WHERE g.zone_group = z.zone_group ORDER BY g.generation DESC LIMIT 1) tip
CROSS JOIN LATERAL (
    SELECT g.generation, g.id, g.at, g.plan FROM generation g
    WHERE g.zone_group = z.zone_group AND pg_visible_in_snapshot(g.xact, $2::text::pg_snapshot)
        AND g.generation > greatest(newest_generation_seen(z.zone_group, $1::text::pg_snapshot), CASE z.zone_group WHEN $3 THEN $4::bigint ELSE 0 END)
    ORDER BY g.generation LIMIT $5
) g
JOIN LATERAL (SELECT p.* FROM plan p WHERE p.plan = g.plan OFFSET 0) p ON true
LEFT JOIN LATERAL (SELECT t.name FROM token t WHERE t.token = p.token OFFSET 0) t ON true
WHERE z.zone_group >= $3 AND NOT pg_visible_in_snapshot(tip.xact, $1::text::pg_snapshot)
ORDER BY z.zone_group, g.generation
LIMIT $5
