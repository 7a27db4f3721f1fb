-- The heartbeat. `is_new`: the row was not there (a first start, or somebody forgot this server), so its reports are not there either.
insert into server (server, instance, ring, fault, answers_at) values ($1, $2, $3, $4, $5)
on conflict (server, instance) do update set seen = now(), fault = excluded.fault, answers_at = excluded.answers_at
returning (xmax = 0) as "is_new!"
