-- Rings that have not ended, the first one first.
select ring, first, extract(epoch from soak)::float8 as "soak_s!", extract(epoch from delay)::float8 as "delay_s!", servers_min
from ring where ended is null order by first desc, delay, ring
