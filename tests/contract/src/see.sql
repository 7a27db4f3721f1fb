-- All that committed and can be seen, one fact a line.
select format('generation %s %s id %s after %s digest %s answers %s spent %s base %s kind %s', g.zone_group, g.generation, encode(g.id, 'hex'), encode(g.parent, 'hex'),
              encode(g.digest, 'hex'), encode(g.answers, 'hex'), g.deletes_spent, p.base, p.kind)
from generation g join plan p on p.plan = g.plan
union all
select format('change %s %s zone %s %s %s %s %s', g.zone_group, g.generation, c.zone, c.owner, c.type, c.covered, coalesce(encode(c.value, 'hex'), 'gone'))
from generation g join change c on c.plan = g.plan
where c.type <> 65536
union all
select format('zone %s holds %s', z.zone, coalesce(record_sets_at(z.zone, (select max(g.generation) from generation g where g.zone_group = z.zone_group)), 0)) from zone z
union all
select format('move %s %s %s expects %s', m.zone_group, m.ring, m.generation, coalesce((select string_agg(e, ',' order by e) from unnest(m.expected) e), case when m.expected is null then '*' else '' end))
from head_move m
union all
select format('verdict %s %s %s', v.zone_group, v.generation, case when v.passed then 'passed' else 'failed' end) from verdict v
union all
select format('stop %s %s %s %s', row_number() over (order by s.stop), s.kind, coalesce(s.zone_group::text, '*'), coalesce(s.ring, '*')) from stop s
union all
select format('report %s %s %s %s %s', r.server, ('x' || right(r.instance::text, 8))::bit(32)::int, r.zone_group, r.generation, encode(r.id, 'hex')) from report r
union all
select format('key %s %s %s', k.key, g.zone_group, g.generation) from idempotency_key k join generation g on g.plan = k.plan
