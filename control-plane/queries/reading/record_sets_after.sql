-- The record sets of a zone (of type $3, unless null) that stand at generation $2, in order of their keys, from after ($4, $5, $6) on, $7 at most. From one key to the
-- next by index, so that a page costs what it holds, however many versions its names have.
WITH RECURSIVE key AS (
    (SELECT c.owner, c.type, c.covered FROM change c WHERE c.zone = $1 AND (c.owner, c.type, c.covered) > ($4, $5::int, $6::int)
     ORDER BY c.owner, c.type, c.covered LIMIT 1)
    UNION ALL
    SELECT n.owner, n.type, n.covered
    FROM key k
    CROSS JOIN LATERAL (
        SELECT c.owner, c.type, c.covered FROM change c WHERE c.zone = $1 AND (c.owner, c.type, c.covered) > (k.owner, k.type, k.covered)
        ORDER BY c.owner, c.type, c.covered LIMIT 1
    ) n
)
SELECT k.owner AS "owner!", k.type AS "rtype!", k.covered AS "covered!", newest.value AS "value!", newest.generation AS "generation!"
FROM key k
CROSS JOIN LATERAL (
    SELECT c.value, g.generation
    FROM change c
    CROSS JOIN LATERAL (SELECT g.generation FROM generation g WHERE g.plan = c.plan AND g.generation <= $2 OFFSET 0) g
    WHERE c.zone = $1 AND c.owner = k.owner AND c.type = k.type AND c.covered = k.covered
    ORDER BY c.plan DESC LIMIT 1
) newest
WHERE k.type < 65536 AND ($3::int IS NULL OR k.type = $3) AND newest.value IS NOT NULL
LIMIT $7
