-- Verdicts that $2 sees and $1 does not, by transaction, group, generation and verdict, from after ($3, $4, $5, $6) on, $7 at most.
SELECT v.xact::text::bigint AS "xact!", v.zone_group, z.name AS group_name, v.generation, v.passed, v.why, v.by, v.at
FROM verdict v
JOIN zone_group z ON z.zone_group = v.zone_group
WHERE v.xact >= pg_snapshot_xmin($1::text::pg_snapshot) AND (v.xact, v.zone_group, v.generation, v.passed) > ($3::bigint::text::xid8, $4, $5, $6)
    AND NOT pg_visible_in_snapshot(v.xact, $1::text::pg_snapshot) AND pg_visible_in_snapshot(v.xact, $2::text::pg_snapshot)
ORDER BY v.xact, v.zone_group, v.generation, v.passed
LIMIT $7
