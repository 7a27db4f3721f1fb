-- The heartbeat. `is_new`: the row was not there (a first start, or somebody forgot this server), so its reports are not there either.
insert into server (server, instance, ring, fault) values ($1, $2, $3, $4)
on conflict (server, instance) do update set seen = now(), fault = excluded.fault
returning (xmax = 0) as "is_new!"
