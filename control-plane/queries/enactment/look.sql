-- Reads all that enactors decide on, in one statement and so in one snapshot. The first row is what all groups share; the others are the groups in which something may
-- have to happen: a head is not at the tip, or nobody judged the tip yet. Of a group's history only those generations are read that decide something, each by index:
-- ten thousand groups at rest cost a few look-ups each, a million generations between two heads nothing. $1 and $2 are the enactor that looks, and this start of it.
with clock as materialized (select clock_timestamp() as now),
follows as materialized (
    select r.ring, r.first, r.soak, r.delay, r.servers_min, count(*) over () = 1 as alone from ring r where r.ended is null
),
-- By its newest start. A ring that is alone has nothing to prove.
newest_server as materialized (
    select distinct on (s.server) s.server, s.instance, s.ring, s.forgotten is not null as forgotten, age_ms(s.seen, c.now) as seen_ms, age_ms(s.started, c.now) as started_ms,
        count(*) filter (where s.forgotten is null and s.seen > c.now - interval '3 seconds') over (partition by s.server) > 1 as doubled
    from server s cross join clock c
    where not (select f.alone from follows f limit 1)
    order by s.server, s.started desc, s.instance
),
world as materialized (
    select f.alone, (select s.ring from follows s where s.first) as first_ring, exists (select from stop_in_force) as stopped from follows f limit 1
)
select null as zone_group, '' as "name!", json_build_object(
    'rings', (select json_agg(json_build_object('ring', f.ring, 'first', f.first, 'soak_ms', (extract(epoch from f.soak) * 1000)::bigint,
        'delay_ms', (extract(epoch from f.delay) * 1000)::bigint, 'servers_min', f.servers_min)) from follows f),
    'servers', (select json_agg(json_build_object('server', s.server, 'ring', s.ring, 'seen_ms', s.seen_ms, 'started_ms', s.started_ms,
        'forgotten', s.forgotten, 'doubled', s.doubled)) from newest_server s),
    'stops', (select json_agg(json_build_object('kind', s.kind, 'group', g.name, 'ring', s.ring)) from stop_in_force s left join zone_group g on g.zone_group = s.zone_group),
    'watched_ms', (select case when age_ms(e.seen, c.now) <= 3000 then age_ms(e.watching_since, c.now) else 0 end
        from enactor e cross join clock c where e.enactor = $1 and e.instance = $2)
) as "found!"
union all
select g.zone_group, g.name, json_build_object('heads', head.list, 'known', known.list, 'reports', report.list)
from zone_group g
cross join world w
cross join clock c
cross join lateral (
    select t.generation from generation t where t.zone_group = g.zone_group order by t.generation desc limit 1
) tip
-- At rest ends here.
cross join lateral (
    select from follows f
    where not exists (select from head_move m where m.zone_group = g.zone_group and m.ring = f.ring and m.generation = tip.generation offset 0)
       or f.first and not f.alone and not exists (select from verdict v where v.zone_group = g.zone_group and v.generation = tip.generation offset 0)
    limit 1
) open
cross join lateral (
    select json_agg(json_build_object('ring', f.ring, 'generation', m.generation, 'id', encode(h.id, 'hex'), 'age_ms', age_ms(m.at, c.now), 'expected', m.expected)) as list,
        coalesce(array_agg(f.ring), '{}') as rings, coalesce(array_agg(m.generation), '{}') as generations, coalesce(min(m.generation), 0) as lowest,
        max(m.generation) filter (where f.first) as of_first
    from follows f
    cross join lateral (
        select m.generation, m.at, m.expected from head_move m where m.zone_group = g.zone_group and m.ring = f.ring order by m.generation desc limit 1
    ) m
    left join lateral (select h.id from generation h where h.zone_group = g.zone_group and h.generation = m.generation offset 0) h on true
) head
-- A ring without a head looks from the very beginning.
cross join lateral (
    select case when cardinality(head.rings) = (select count(*) from follows) then head.lowest else 0 end as lowest,
        not w.alone and (cardinality(head.rings) < (select count(*) from follows)
            or not exists (select from verdict v where v.zone_group = g.zone_group and v.generation = head.of_first offset 0)) as asks_servers
) needs
cross join lateral (
    select array (
        select tip.generation
        union
        select unnest(head.generations)
        union
        select newest_movable(g.zone_group, coalesce(head.of_first, 0))
        where exists (select from verdict v where v.zone_group = g.zone_group and v.generation = tip.generation and not v.passed offset 0)
        union
        -- What may move although something is stopped.
        select r.generation from plan p
        cross join lateral (select r.generation from generation r where r.plan = p.plan and r.generation > needs.lowest offset 0) r
        where w.stopped and p.zone_group = g.zone_group and p.kind = 'rollback' and p.through_freeze
        union
        -- What passed, and was rolled back before every ring had taken it, is to fail.
        select due.generation from plan p
        cross join lateral (select r.generation from generation r where r.plan = p.plan and r.generation > needs.lowest offset 0) r
        cross join lateral (
            select v.generation from verdict v
            where v.zone_group = g.zone_group and v.passed and v.generation > greatest(p.rolled_back_to, needs.lowest) and v.generation < r.generation
              and not exists (select from verdict f where f.zone_group = g.zone_group and f.generation = v.generation and not f.passed offset 0)
            order by v.generation desc limit 1
        ) due
        where not w.alone and p.zone_group = g.zone_group and p.kind = 'rollback'
        union
        -- For each ring that follows verdicts: the greatest that passed its delay ago, and the first one that will have.
        select unnest(array [due.generation, soon.generation]) from follows f
        cross join lateral (select coalesce(max(h.generation), 0) as generation from unnest(head.rings, head.generations) as h (ring, generation) where h.ring = f.ring) at
        left join lateral (
            select v.generation from verdict v
            where v.zone_group = g.zone_group and v.passed and v.generation > at.generation and v.at + f.delay <= c.now
              and not exists (select from verdict x where x.zone_group = g.zone_group and x.generation = v.generation and not x.passed offset 0)
              and not is_rolled_back(g.zone_group, v.generation)
            order by v.generation desc limit 1
        ) due on true
        left join lateral (
            select v.generation from verdict v
            where v.zone_group = g.zone_group and v.passed and v.generation > coalesce(due.generation, at.generation) and v.at + f.delay > c.now
              and not exists (select from verdict x where x.zone_group = g.zone_group and x.generation = v.generation and not x.passed offset 0)
              and not is_rolled_back(g.zone_group, v.generation)
            order by v.generation limit 1
        ) soon on true
        where not w.alone and not f.first
        union
        -- A lost head is found again by what servers serve.
        select p.generation from newest_server s
        cross join lateral (select p.generation from report p where p.server = s.server and p.instance = s.instance and p.zone_group = g.zone_group offset 0) p
        where needs.asks_servers and s.ring <> all (head.rings)
    ) as generations
) interesting
cross join lateral (
    select json_agg(json_build_object('generation', n.generation, 'id', encode(n.id, 'hex'),
        'failed', exists (select from verdict v where v.zone_group = g.zone_group and v.generation = n.generation and not v.passed offset 0),
        'passed_ms', (select age_ms(v.at, c.now) from verdict v where v.zone_group = g.zone_group and v.generation = n.generation and v.passed),
        'answers_passed', not w.alone and coalesce(n.generation = head.of_first, false) and answers_have_passed(g.zone_group, n.answers),
        'rolled_back', is_rolled_back(g.zone_group, n.generation),
        'through_freeze', w.stopped and (select p.through_freeze from plan p where p.plan = n.plan))) as list
    from unnest(interesting.generations) as i (generation)
    cross join lateral (
        select n.generation, n.id, n.answers, n.plan from generation n where n.zone_group = g.zone_group and n.generation = i.generation offset 0
    ) n
) known
left join lateral (
    select json_agg(json_build_object('server', s.server, 'generation', r.generation, 'id', encode(r.id, 'hex'), 'age_ms', age_ms(r.at, c.now),
        'refused_generation', x.generation, 'refused_id', encode(x.id, 'hex'), 'fault', x.why)) as list
    from newest_server s
    cross join lateral (
        select r.generation, r.id, r.at from report r where r.server = s.server and r.instance = s.instance and r.zone_group = g.zone_group offset 0
    ) r
    left join lateral (
        select x.generation, x.id, x.why from fault x where x.server = s.server and x.instance = s.instance and x.zone_group = g.zone_group offset 0
    ) x on true
    where s.ring = w.first_ring or s.ring <> all (head.rings)
) report on needs.asks_servers
