-- The group of this name and its tip; no row for a group without a generation, which does not exist.
SELECT z.zone_group, z.name, z.floor, tip.generation, tip.id, tip.digest, tip.at
FROM zone_group z
CROSS JOIN LATERAL (
    SELECT g.generation, g.id, g.digest, g.at FROM generation g WHERE g.zone_group = z.zone_group ORDER BY g.generation DESC LIMIT 1
) tip
WHERE z.name = $1
