-- The groups after $2, $3 at most, in which there is something to retire: the floor could rise so that $1 generations are kept (counted as rows, for an epoch skips
-- numbers), or what it made obsolete is not all swept. Only where the numbers leave room is anything counted.
SELECT z.zone_group AS "zone_group!", z.name AS "name!", z.floor AS "floor!", kept.generation AS "oldest_kept?", z.floor > 1 AND coalesce(r.swept, 0) < z.floor AS "unswept!"
FROM zone_group z
LEFT JOIN retirement r ON r.zone_group = z.zone_group
LEFT JOIN LATERAL (
    SELECT g.generation FROM generation g
    WHERE g.zone_group = z.zone_group
      AND (SELECT t.generation FROM generation t WHERE t.zone_group = z.zone_group ORDER BY t.generation DESC LIMIT 1) - z.floor >= $1
    ORDER BY g.generation DESC OFFSET $1 - 1 LIMIT 1
) kept ON true
WHERE z.zone_group > $2 AND (kept.generation > z.floor OR (z.floor > 1 AND coalesce(r.swept, 0) < z.floor))
ORDER BY z.zone_group
LIMIT $3
