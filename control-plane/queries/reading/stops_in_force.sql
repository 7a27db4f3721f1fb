-- The stops in force that lie on any of these groups, those on every group among them; all there are, for null.
select s.stop as "stop!", s.kind as "kind!", g.name as "group_name?", s.zone_group as "zone_group?", s.ring as "ring?", s.reason as "reason!", s.by as "by!", s.at as "at!", s.until as "until?"
from stop_in_force s left join zone_group g on g.zone_group = s.zone_group
where $1::bigint[] is null or s.zone_group is null or s.zone_group = any ($1)
order by s.stop
