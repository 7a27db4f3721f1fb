-- Whether any record set stands below the name $2 (relative to zone $1) at generation $3. There is no index by the end of a name: this reads the zone's keys, until it
-- finds one. (A dot after an odd number of backslashes is part of a label.)
SELECT EXISTS (
    SELECT FROM (
        SELECT c.owner, c.type, c.covered, c.plan FROM change c
        WHERE c.zone = $1 AND c.owner > '' AND c.type < 65536 AND right(c.owner, length($2::text) + 1) = '.' || $2
            AND left(c.owner, -length($2) - 1) !~ '(^|[^\\])(\\\\)*\\$'
        OFFSET 0
    ) k
    CROSS JOIN LATERAL (SELECT g.generation FROM generation g WHERE g.plan = k.plan AND g.generation <= $3 OFFSET 0) g
    CROSS JOIN LATERAL (
        SELECT c.value, c.plan FROM change c
        WHERE c.zone = $1 AND c.owner = k.owner AND c.type = k.type AND c.covered = k.covered
            AND EXISTS (SELECT FROM generation n WHERE n.plan = c.plan AND n.generation <= $3 OFFSET 0)
        ORDER BY c.plan DESC LIMIT 1
    ) newest
    WHERE newest.plan = k.plan AND newest.value IS NOT NULL
) AS "stands!"
