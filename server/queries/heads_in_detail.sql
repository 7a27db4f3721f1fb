-- What is needed to check the heads of some groups: their digests, and the ids that their own ids are made of.
select zone_group as "zone_group!", digest as "digest!", parent_id
from serving_head
where ring = $1 and zone_group = any ($2)
