-- The zone of this name, its group and the group's tip; no row for a zone of a group without a generation.
SELECT z.zone, z.name, z.zone_group, g.name AS group_name, g.floor, tip.generation AS tip, tip.id AS tip_id
FROM zone z
JOIN zone_group g ON g.zone_group = z.zone_group
CROSS JOIN LATERAL (
    SELECT n.generation, n.id FROM generation n WHERE n.zone_group = z.zone_group ORDER BY n.generation DESC LIMIT 1
) tip
WHERE z.name = $1
