-- The stops in force that cover a group, in some ring or in all.
SELECT s.kind AS "kind!", s.zone_group IS NULL AS "every_group!", s.ring, s.reason AS "reason!", s.by AS "by!", s.at AS "at!", s.until
FROM stop_in_force s
WHERE s.zone_group IS NULL OR s.zone_group = $1
ORDER BY s.stop
