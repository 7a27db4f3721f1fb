-- The servers of ring $1 that are live: those that a move of the first ring expects to prove it.
select distinct server from server where ring = $1 and forgotten is null and seen > clock_timestamp() - interval '3 seconds' order by server
