-- The plans of a group by their generations, newest first, from below $2 on, $3 at most, each with the verdicts on its generation.
SELECT g.generation, g.id, g.digest, g.at, p.base, p.kind, p.rolled_back_to, p.through_freeze, p.reason, p.acknowledged, p.added, p.replaced, p.deleted, p.absent,
    t.name AS "by?",
    coalesce(g.generation > 1 AND p.base <> (
        SELECT max(b.generation) FROM generation b WHERE b.zone_group = $1 AND b.generation < g.generation), false) AS "rebased!",
    passed.why AS "passed_why?", passed.by AS "passed_by?", passed.at AS "passed_at?",
    failed.why AS "failed_why?", failed.by AS "failed_by?", failed.at AS "failed_at?"
FROM generation g
JOIN plan p ON p.plan = g.plan
LEFT JOIN token t ON t.token = p.token
LEFT JOIN verdict passed ON passed.zone_group = g.zone_group AND passed.generation = g.generation AND passed.passed
LEFT JOIN verdict failed ON failed.zone_group = g.zone_group AND failed.generation = g.generation AND NOT failed.passed
WHERE g.zone_group = $1 AND g.generation < $2
ORDER BY g.generation DESC
LIMIT $3
