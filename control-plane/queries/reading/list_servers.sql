-- Servers (in ring $3, unless null) in order of their names, from after ($1, $2) on, $4 at most. Ages by the database's clock.
SELECT server, instance, ring, started, fault, forgotten,
    (extract(epoch FROM clock_timestamp() - seen) * 1000)::bigint AS "seen_age_ms!",
    forgotten IS NULL AND seen > clock_timestamp() - interval '3 seconds' AS "live!"
FROM server
WHERE (server, instance) > ($1, $2::uuid) AND ($3::text IS NULL OR ring = $3)
ORDER BY server, instance
LIMIT $4
