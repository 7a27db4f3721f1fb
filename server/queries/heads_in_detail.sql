-- What is needed to check the heads of some groups: their digests, the ids that their own ids are made of, and from where on the groups can be read.
select zone_group as "zone_group!", digest as "digest!", parent_id, floor as "floor!"
from serving_head
where ring = $1 and zone_group = any ($2)
