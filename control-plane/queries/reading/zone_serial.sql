-- What a zone's serial at generation $2 goes by: the serial that was set last, in which generation, and the generation that touched the zone last. Nulls where there
-- is none.
SELECT touched_at($1, $2) AS touched, set_last.value AS "value?", set_last.generation AS "set_in?"
FROM (VALUES (1)) AS one (row)
LEFT JOIN LATERAL (
    SELECT c.value, g.generation
    FROM change c
    CROSS JOIN LATERAL (SELECT g.generation FROM generation g WHERE g.plan = c.plan AND g.generation <= $2 OFFSET 0) g
    WHERE c.zone = $1 AND c.owner = '@' AND c.type = 65537 AND c.covered = 0
    ORDER BY c.plan DESC LIMIT 1
) set_last ON true
