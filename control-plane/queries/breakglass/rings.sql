-- The rings that have not ended, the first one first.
select ring, first from ring where ended is null order by first desc, delay, ring
