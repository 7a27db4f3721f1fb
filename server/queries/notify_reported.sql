-- A hint that reports have changed, from a transaction of its own.
select pg_notify('holdfast_reported', '') is null as done
