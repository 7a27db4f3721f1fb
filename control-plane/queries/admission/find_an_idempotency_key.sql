-- Finds what a token's idempotency key stands for: the request, and the plan that was admitted under it.
select k.body_hash, z.name as group_name, p.base, p.added, p.replaced, p.deleted, p.absent, g.generation, g.id, g.digest,
       coalesce((select max(b.generation) from generation b where b.zone_group = g.zone_group and b.generation < g.generation), 0) as "parent!"
from idempotency_key k
join plan p on p.plan = k.plan
join zone_group z on z.zone_group = p.zone_group
join generation g on g.plan = k.plan
where k.token = $1 and k.key = $2
