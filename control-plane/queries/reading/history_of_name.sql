-- What plans made of the record sets of one name ($2, in zone $1; of type $3, unless null) and of the guards on them, the newest first, from after plan $4 and key ($5, $6) on, $7 at most:
-- each with the record set after and before it, null for absent. At one name plan numbers rise with generations (SCHEMA.md), so they are the order. A serial that was
-- set is a version of the SOA. From one (type, covered) to the next by index, and there straight down from the newest: neither a large zone nor a long history costs.
WITH RECURSIVE kind AS (
    (SELECT c.type, c.covered FROM change c WHERE c.zone = $1 AND c.owner = $2 ORDER BY c.type, c.covered LIMIT 1)
    UNION ALL
    SELECT n.type, n.covered
    FROM kind k
    CROSS JOIN LATERAL (
        SELECT c.type, c.covered FROM change c WHERE c.zone = $1 AND c.owner = $2 AND (c.type, c.covered) > (k.type, k.covered)
        ORDER BY c.type, c.covered LIMIT 1
    ) n
), version AS (
    SELECT DISTINCT v.plan, k.shown, k.covered, v.generation, v.id, v.at
    FROM (SELECT k.type, CASE k.type WHEN 65537 THEN 6 ELSE k.type END AS shown, k.covered FROM kind k) k
    CROSS JOIN LATERAL (
        SELECT c.plan, g.generation, g.id, g.at
        FROM change c
        CROSS JOIN LATERAL (SELECT g.generation, g.id, g.at FROM generation g WHERE g.plan = c.plan OFFSET 0) g
        WHERE c.zone = $1 AND c.owner = $2 AND c.type = k.type AND c.covered = k.covered
            AND c.plan <= $4 AND (c.plan < $4 OR (k.shown, k.covered) > ($5::int, $6::int))
        ORDER BY c.plan DESC LIMIT $7
    ) v
    WHERE (k.shown < 65536 OR k.shown = 65538) AND ($3::int IS NULL OR $3 IN (k.shown, CASE k.shown WHEN 65538 THEN k.covered END))
    ORDER BY v.plan DESC, k.shown, k.covered
    LIMIT $7
)
SELECT v.plan AS "plan!", v.shown AS "rtype!", v.covered AS "covered!", v.generation AS "generation!", v.id AS "id!", v.at AS "at!",
    after.value AS "after?", before.value AS "before?", p.reason AS "reason?", p.acknowledged AS "acknowledged!", t.name AS "by?",
    (SELECT max(g.generation) FROM generation g WHERE g.zone_group = p.zone_group AND g.generation < v.generation) AS "parent?"
FROM version v
JOIN LATERAL (SELECT p.zone_group, p.reason, p.acknowledged, p.token FROM plan p WHERE p.plan = v.plan OFFSET 0) p ON true
LEFT JOIN LATERAL (SELECT t.name FROM token t WHERE t.token = p.token OFFSET 0) t ON true
LEFT JOIN LATERAL (
    SELECT c.value FROM change c
    WHERE c.zone = $1 AND c.owner = $2 AND c.type = v.shown AND c.covered = v.covered AND c.plan <= v.plan
        AND EXISTS (SELECT FROM generation g WHERE g.plan = c.plan OFFSET 0)
    ORDER BY c.plan DESC LIMIT 1
) after ON true
LEFT JOIN LATERAL (
    SELECT c.value FROM change c
    WHERE c.zone = $1 AND c.owner = $2 AND c.type = v.shown AND c.covered = v.covered AND c.plan < v.plan
        AND EXISTS (SELECT FROM generation g WHERE g.plan = c.plan OFFSET 0)
    ORDER BY c.plan DESC LIMIT 1
) before ON true
ORDER BY v.plan DESC, v.shown, v.covered
