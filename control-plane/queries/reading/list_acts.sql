-- Acts (on the group named $1, of the kind $2, unless null), the newest first, from below number $3 on, $4 at most.
SELECT a.audit, a.at, a.token IS NOT NULL AS "by_token!", a.by, a.act, a.detail, g.name AS "group_name?"
FROM audit a
LEFT JOIN zone_group g ON g.zone_group = a.zone_group
WHERE a.audit < $3
    AND ($1::text IS NULL OR a.zone_group = (SELECT n.zone_group FROM zone_group n WHERE n.name = $1))
    AND ($2::text IS NULL OR a.act = $2)
ORDER BY a.audit DESC
LIMIT $4
