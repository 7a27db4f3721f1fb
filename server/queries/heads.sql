-- The heads of a ring: all of them, every time. "Greater than the last seen" would miss rows that commit out of order.
select zone_group as "zone_group!", group_name as "group_name!", generation as "generation!", id as "id!"
from serving_head
where ring = $1
