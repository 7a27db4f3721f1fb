-- Enactors in order of their names, from after $1 on, $2 at most. Ages by the database's clock.
SELECT enactor, instance, waits_for, age_ms(watching_since, clock_timestamp()) AS "watching_ms!",
    (extract(epoch FROM clock_timestamp() - seen) * 1000)::bigint AS "seen_age_ms!",
    seen > clock_timestamp() - interval '3 seconds' AS "live!"
FROM enactor
WHERE enactor > $1
ORDER BY enactor
LIMIT $2
