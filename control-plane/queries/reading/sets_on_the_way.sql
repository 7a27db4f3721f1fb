-- The newest versions, at generation $3, of every record set that was ever written at some names ($2) of zone $1; null for what is gone. From one (type, covered) to
-- the next by index, and from the newest version of each down to the first that is old enough.
WITH RECURSIVE kind AS (
    SELECT n.owner, k.type, k.covered
    FROM (SELECT DISTINCT u.owner COLLATE "C" AS owner FROM unnest($2::text[]) AS u (owner)) n
    CROSS JOIN LATERAL (
        SELECT c.type, c.covered FROM change c WHERE c.zone = $1 AND c.owner = n.owner ORDER BY c.type, c.covered LIMIT 1
    ) k
    UNION ALL
    SELECT k.owner, m.type, m.covered
    FROM kind k
    CROSS JOIN LATERAL (
        SELECT c.type, c.covered FROM change c WHERE c.zone = $1 AND c.owner = k.owner AND (c.type, c.covered) > (k.type, k.covered)
        ORDER BY c.type, c.covered LIMIT 1
    ) m
)
SELECT k.owner AS "owner!", k.type AS "rtype!", k.covered AS "covered!", newest.value AS "value?", newest.generation AS "generation!"
FROM kind k
CROSS JOIN LATERAL (
    SELECT c.value, g.generation
    FROM change c
    CROSS JOIN LATERAL (SELECT g.generation FROM generation g WHERE g.plan = c.plan AND g.generation <= $3 OFFSET 0) g
    WHERE c.zone = $1 AND c.owner = k.owner AND c.type = k.type AND c.covered = k.covered
    ORDER BY c.plan DESC LIMIT 1
) newest
WHERE k.type < 65536
ORDER BY k.owner, k.type, k.covered
