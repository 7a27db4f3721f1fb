-- The record sets of a zone that stand at generation $2, in order of their keys, from after ($3, $4, $5) on, $6 at most. For reading the whole of a zone: faster than
-- record_sets_after.sql for many names, slower for names with many versions.
SELECT c.owner AS "owner!", c.type AS "rtype!", c.covered AS "covered!", c.value AS "value!"
FROM (
    SELECT DISTINCT ON (c.owner, c.type, c.covered) c.owner, c.type, c.covered, c.value
    FROM change c
    CROSS JOIN LATERAL (SELECT g.generation FROM generation g WHERE g.plan = c.plan AND g.generation <= $2 OFFSET 0) g
    WHERE c.zone = $1 AND (c.owner, c.type, c.covered) > ($3, $4::int, $5::int)
    ORDER BY c.owner, c.type, c.covered, c.plan DESC
) c
WHERE c.type < 65536 AND c.value IS NOT NULL
ORDER BY c.owner, c.type, c.covered
LIMIT $6
