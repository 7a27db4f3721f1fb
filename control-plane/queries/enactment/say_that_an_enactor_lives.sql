-- Says that enactor $1 is alive, by the database's clock. Nothing that is safe rests on it.
insert into enactor (enactor, instance, seen) values ($1, $2, clock_timestamp())
on conflict (enactor) do update set instance = excluded.instance, seen = clock_timestamp()
