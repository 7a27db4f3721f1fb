-- The record sets of one name that stand at generation $3. A name with a million versions costs little more than one with a single version: from one (type, covered)
-- to the next by index, and from the newest version of each down to the first that is old enough.
WITH RECURSIVE kind AS (
    (SELECT c.type, c.covered FROM change c WHERE c.zone = $1 AND c.owner = $2 ORDER BY c.type, c.covered LIMIT 1)
    UNION ALL
    SELECT n.type, n.covered
    FROM kind k
    CROSS JOIN LATERAL (
        SELECT c.type, c.covered FROM change c WHERE c.zone = $1 AND c.owner = $2 AND (c.type, c.covered) > (k.type, k.covered)
        ORDER BY c.type, c.covered LIMIT 1
    ) n
)
SELECT k.type AS "rtype!", k.covered AS "covered!", newest.value AS "value!", newest.generation AS "generation!"
FROM kind k
CROSS JOIN LATERAL (
    SELECT c.value, g.generation
    FROM change c
    CROSS JOIN LATERAL (SELECT g.generation FROM generation g WHERE g.plan = c.plan AND g.generation <= $3 OFFSET 0) g
    WHERE c.zone = $1 AND c.owner = $2 AND c.type = k.type AND c.covered = k.covered
    ORDER BY c.plan DESC LIMIT 1
) newest
WHERE k.type < 65536 AND newest.value IS NOT NULL
