-- Reads, in one snapshot, every group whose head in ring $1 is not its tip: the whole truth, not what happened since somebody last looked.
select g.zone_group, g.name, tip.generation as "tip_generation!", tip.id as "tip_id!", head.generation as "head_generation?", head.id as "head_id?"
from zone_group g
cross join lateral (
    select t.generation, t.id from generation t where t.zone_group = g.zone_group order by t.generation desc limit 1
) tip
left join lateral (
    select m.generation, h.id
    from (select m.generation from head_move m where m.zone_group = g.zone_group and m.ring = $1 order by m.generation desc limit 1) m
    join generation h on h.zone_group = g.zone_group and h.generation = m.generation
) head on true
where head.generation is distinct from tip.generation
