-- The stops in force.
select s.stop as "stop!", s.kind as "kind!", g.name as "zone_group?", s.ring as "ring?", s.reason as "reason!", s.by as "by!",
    (extract(epoch from clock_timestamp() - s.at) * 1000)::bigint as "age_ms!",
    (extract(epoch from s.until - clock_timestamp()) * 1000)::bigint as "left_ms?"
from stop_in_force s left join zone_group g on g.zone_group = s.zone_group
order by s.stop
