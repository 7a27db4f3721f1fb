-- Those of these zones, the longest name first, that are of a group with a generation.
SELECT z.zone, z.name, z.zone_group, g.name AS group_name, g.floor, tip.generation AS tip, tip.id AS tip_id
FROM unnest($1::text[]) AS wanted (name)
JOIN zone z ON z.name = wanted.name
JOIN zone_group g ON g.zone_group = z.zone_group
CROSS JOIN LATERAL (
    SELECT n.generation, n.id FROM generation n WHERE n.zone_group = z.zone_group ORDER BY n.generation DESC LIMIT 1
) tip
ORDER BY length(z.name) DESC
