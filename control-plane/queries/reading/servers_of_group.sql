-- Every server that nobody told to forget (of one that was started again the newest instance), and what it says it serves of group $1; a thousand at most.
SELECT s.server, s.ring, s.fault, p.generation AS "generation?", p.id AS "id?",
    (extract(epoch FROM clock_timestamp() - s.seen) * 1000)::bigint AS "seen_age_ms!",
    s.seen > clock_timestamp() - interval '3 seconds' AS "live!",
    (extract(epoch FROM clock_timestamp() - p.at) * 1000)::bigint AS "age_ms?"
FROM (
    SELECT DISTINCT ON (server) server, instance, ring, fault, seen, forgotten FROM server ORDER BY server, started DESC
) s
LEFT JOIN report p ON p.server = s.server AND p.instance = s.instance AND p.zone_group = $1
WHERE s.forgotten IS NULL OR s.seen > greatest(s.forgotten, clock_timestamp() - interval '3 seconds')
ORDER BY s.ring, s.server
LIMIT 1000
