-- The plans of a group by their generations, newest first, from below $2 on, $3 at most.
SELECT g.generation, g.id, g.digest, g.at, p.base, p.reason, p.acknowledged, p.added, p.replaced, p.deleted, p.absent, t.name AS "by?",
    coalesce(g.generation > 1 AND p.base <> (
        SELECT max(b.generation) FROM generation b WHERE b.zone_group = $1 AND b.generation < g.generation), false) AS "rebased!"
FROM generation g
JOIN plan p ON p.plan = g.plan
LEFT JOIN token t ON t.token = p.token
WHERE g.zone_group = $1 AND g.generation < $2
ORDER BY g.generation DESC
LIMIT $3
