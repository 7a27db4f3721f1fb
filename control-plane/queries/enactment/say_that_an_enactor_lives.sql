-- Says that enactor $1, in its start $2, is alive, and what it waits for ($3); all by the database's clock. Since when it has watched goes on only where the last sign is of
-- this start and younger than what makes a server lost. Nothing that is safe rests on it.
insert into enactor (enactor, instance, seen, waits_for) values ($1, $2, clock_timestamp(), $3)
on conflict (enactor) do update set instance = excluded.instance, seen = clock_timestamp(), waits_for = excluded.waits_for,
    watching_since = case
        when enactor.instance = excluded.instance and enactor.seen between clock_timestamp() - interval '3 seconds' and clock_timestamp()
            and enactor.watching_since <= clock_timestamp() and isfinite(enactor.watching_since) then enactor.watching_since
        else clock_timestamp()
    end
