-- Where generation $2 (of id $3) of a group stands, or without one the head of each ring: whether it failed; and by ring (only $4, unless null) the head, the live
-- servers, and those of them, a hundred at most, that do not report the generation or a later one. Of a server that was started again only the newest instance counts.
SELECT r.ring,
    head.generation AS "head?",
    servers.live AS "live!",
    servers.laggards AS "laggards!",
    EXISTS (SELECT FROM verdict v WHERE v.zone_group = g.zone_group AND v.generation = asked.generation AND NOT v.passed) AS "failed!"
FROM ring r
LEFT JOIN zone_group g ON g.name = $1
LEFT JOIN LATERAL (
    SELECT m.generation FROM head_move m WHERE m.zone_group = g.zone_group AND m.ring = r.ring ORDER BY m.generation DESC LIMIT 1
) head ON true
LEFT JOIN LATERAL (
    SELECT $2::bigint AS generation, $3::bytea AS id WHERE $2 IS NOT NULL
    UNION ALL
    SELECT n.generation, n.id FROM generation n WHERE $2 IS NULL AND n.zone_group = g.zone_group AND n.generation = head.generation
) asked ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS live,
        coalesce((array_agg(s.server ORDER BY s.server) FILTER (
            WHERE (p.generation > asked.generation OR (p.generation = asked.generation AND p.id = asked.id)) IS NOT TRUE))[1:100], '{}') AS laggards
    FROM (SELECT DISTINCT ON (server) server, instance, ring, seen FROM server ORDER BY server, started DESC) s
    LEFT JOIN report p ON p.server = s.server AND p.instance = s.instance AND p.zone_group = g.zone_group
    WHERE s.ring = r.ring AND s.seen > clock_timestamp() - interval '3 seconds'
) servers
WHERE r.ended IS NULL AND ($4::text IS NULL OR r.ring = $4)
ORDER BY r.ring
