-- What these servers say they serve (of the group named $3, unless null), a hundred groups of each at most, and in how many groups they serve anything. A report
-- may be of a group that nobody knows.
SELECT s.server AS "server!", s.instance AS "instance!", r.count AS "count!", r.group_name AS "group_name?",
    r.zone_group AS "zone_group!", r.generation AS "generation!", r.id AS "id!", r.age_ms AS "age_ms!",
    x.generation AS "refused?", x.why AS "fault?"
FROM unnest($1::text[], $2::uuid[]) AS s (server, instance)
CROSS JOIN LATERAL (
    SELECT count(*) OVER () AS count, g.name AS group_name, r.zone_group, r.generation, r.id,
        (extract(epoch FROM clock_timestamp() - r.at) * 1000)::bigint AS age_ms
    FROM report r LEFT JOIN zone_group g ON g.zone_group = r.zone_group
    WHERE r.server = s.server AND r.instance = s.instance AND ($3::text IS NULL OR g.name = $3)
    ORDER BY g.name, r.zone_group LIMIT 100
) r
LEFT JOIN fault x ON x.server = s.server AND x.instance = s.instance AND x.zone_group = r.zone_group
ORDER BY s.server, s.instance, r.group_name, r.zone_group
