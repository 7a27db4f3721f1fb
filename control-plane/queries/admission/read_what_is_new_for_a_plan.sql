-- Reads the tip, the id that generation $2 has now, and which names of a staged plan's footprint changed above generation $2, in which generation: what the loser of a race has to judge again.
with mine as (
    select p.plan, p.zone_group from plan p where p.plan = $1
),
tip as (
    select g.generation, g.id, g.digest, g.answers, g.deletes_spent
    from mine cross join lateral (
        select generation, id, digest, answers, deletes_spent from generation g where g.zone_group = mine.zone_group order by generation desc limit 1
    ) g
),
theirs as materialized (
    select g.plan, g.generation from mine join generation g on g.zone_group = mine.zone_group and g.generation > $2
)
select tip.generation as "generation!", tip.id as "id!", tip.digest as "digest!", tip.answers as "answers!", tip.deletes_spent as "deletes_spent!",
       (select g.id from mine join generation g on g.zone_group = mine.zone_group and g.generation = $2) as "decided_on?", hit.zone_name as "zone_name?", hit.owner as "owner?", hit.changed_in as "changed_in?"
from tip left join (
    select z.name as zone_name, nullif(c.owner, '') as owner, max(t.generation) as changed_in
    from theirs t
    cross join lateral (select c.zone, c.owner from change c where c.plan = t.plan offset 0) c
    join zone z on z.zone = c.zone
    where exists (select from change m where m.plan = $1 and m.zone = c.zone and m.owner = c.owner and c.owner <> '' offset 0)
       or exists (select from plan_read r where r.plan = $1 and r.zone = c.zone and r.owner in (c.owner, '') offset 0)
    group by z.name, c.owner
    order by z.name, c.owner
    limit 1000
) hit on true
