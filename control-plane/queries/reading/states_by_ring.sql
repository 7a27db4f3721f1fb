-- Where generation $2 (of id $3) of a group stands: by ring (only $4, unless null) the head, the live servers, and those of them, a hundred at most, that do not
-- report this generation or a later one. Of a server that was started again only the newest instance counts.
SELECT r.ring,
    head.generation AS "head?",
    servers.live AS "live!",
    servers.laggards AS "laggards!"
FROM ring r
LEFT JOIN LATERAL (
    SELECT m.generation FROM head_move m JOIN zone_group g ON g.zone_group = m.zone_group
    WHERE g.name = $1 AND m.ring = r.ring ORDER BY m.generation DESC LIMIT 1
) head ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS live,
        coalesce((array_agg(s.server ORDER BY s.server) FILTER (
            WHERE (p.generation > $2 OR (p.generation = $2 AND p.id = $3)) IS NOT TRUE))[1:100], '{}') AS laggards
    FROM (SELECT DISTINCT ON (server) server, instance, ring, seen FROM server ORDER BY server, started DESC) s
    LEFT JOIN report p ON p.server = s.server AND p.instance = s.instance AND p.zone_group = (SELECT g.zone_group FROM zone_group g WHERE g.name = $1)
    WHERE s.ring = r.ring AND s.seen > clock_timestamp() - interval '3 seconds'
) servers
WHERE $4::text IS NULL OR r.ring = $4
ORDER BY r.ring
