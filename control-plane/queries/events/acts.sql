-- Acts that $2 sees and $1 does not, by transaction and number, from after ($3, $4) on, $5 at most.
SELECT a.xact::text::bigint AS "xact!", a.audit, a.at, a.token IS NOT NULL AS "by_token!", a.by, a.act, a.detail, z.name AS "group_name?"
FROM audit a
LEFT JOIN zone_group z ON z.zone_group = a.zone_group
WHERE a.xact >= pg_snapshot_xmin($1::text::pg_snapshot) AND (a.xact, a.audit) > ($3::bigint::text::xid8, $4)
    AND NOT pg_visible_in_snapshot(a.xact, $1::text::pg_snapshot) AND pg_visible_in_snapshot(a.xact, $2::text::pg_snapshot)
ORDER BY a.xact, a.audit
LIMIT $5
