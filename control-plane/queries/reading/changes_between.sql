-- The record sets, guards and settings of a group that differ between generations $2 and $3, in order of their keys, from after ($4, $5, $6, $7) on, $8 at most: before and after, null
-- for absent. Settings stand in no zone. A serial that was set is a change of the SOA, whose row may be the same in both.
SELECT k.zone AS "zone!", z.name AS "zone_name?", k.owner AS "owner!", k.type AS "rtype!", k.covered AS "covered!",
    before.value AS "before?", after.value AS "after?"
FROM (
    SELECT c.zone, c.owner, c.kind AS type, c.covered, bool_or(c.type = 65537) AS serial_set
    FROM (
        SELECT c.zone, c.owner, c.type, CASE c.type WHEN 65537 THEN 6 ELSE c.type END AS kind, c.covered
        FROM change c
        WHERE c.plan = ANY (ARRAY (SELECT g.plan FROM generation g WHERE g.zone_group = $1 AND g.generation > $2 AND g.generation <= $3))
            AND c.owner <> '' AND (c.zone, c.owner) >= ($4, $5)
    ) c
    WHERE (c.zone, c.owner, c.kind, c.covered) > ($4, $5, $6::int, $7::int)
    GROUP BY c.zone, c.owner, c.kind, c.covered
    ORDER BY c.zone, c.owner, c.kind, c.covered
) k
LEFT JOIN LATERAL (SELECT z.name FROM zone z WHERE z.zone = k.zone OFFSET 0) z ON true
LEFT JOIN LATERAL (
    SELECT c.value FROM change c
    CROSS JOIN LATERAL (SELECT g.generation FROM generation g WHERE g.plan = c.plan AND g.generation <= $2 OFFSET 0) g
    WHERE c.zone = k.zone AND c.owner = k.owner AND c.type = k.type AND c.covered = k.covered
    ORDER BY c.plan DESC LIMIT 1
) before ON true
LEFT JOIN LATERAL (
    SELECT c.value FROM change c
    CROSS JOIN LATERAL (SELECT g.generation FROM generation g WHERE g.plan = c.plan AND g.generation <= $3 OFFSET 0) g
    WHERE c.zone = k.zone AND c.owner = k.owner AND c.type = k.type AND c.covered = k.covered
    ORDER BY c.plan DESC LIMIT 1
) after ON true
WHERE before.value IS DISTINCT FROM after.value OR (k.serial_set AND after.value IS NOT NULL)
ORDER BY k.zone, k.owner, k.type, k.covered
LIMIT $8
