-- Rings and verdicts: the first ring proves a generation, the others take what was proved long enough ago. A generation that failed is taken by nobody, ever again.
--
-- Whatever the moves rest on changes under the lock that they take shared (7310, see 0014_stops.sql): rings, and failed verdicts. So a move knows which ring is first,
-- and whether it is alone, until it commits:
--   1. an enactor sees that `fleet` is alone, and is about to move it to the tip;
--   2. an operator adds `canary` as the first ring, and is told so;
--   3. the move comes: it waited, or the operator did, and it is judged by the rings of that moment.
-- A passed verdict needs no lock: who does not see it yet is refused, and comes again.

create function ring_waits_for_moves() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform refuse_old_snapshot();
    perform pg_advisory_xact_lock(7310);
    return null;
end
$$;
create trigger ring_waits_for_moves before insert or update on ring for each statement execute function ring_waits_for_moves();

-- Of the rings that have not ended exactly one is first; so the last ring cannot end, and the first only when another one becomes it.
create function rings_have_a_first() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    first_rings text[];
begin
    select coalesce(array_agg(r.ring order by r.ring), '{}') into first_rings from ring r where r.first and r.ended is null;
    if cardinality(first_rings) <> 1 then
        raise exception using errcode = 'HF028', message = format('of the rings that have not ended exactly one must be first, not %s', first_rings);
    end if;
    return null;
end
$$;
create trigger rings_have_a_first after insert or update on ring for each statement execute function rings_have_a_first();

-- A ring keeps its name, and does not come back while it has moves: its head would be what was in force when it ended, and may be below the floor by now.
create function ring_stays_ended() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong text;
begin
    select o.ring into wrong
    from before o
    where not exists (select from after n where n.ring = o.ring and (o.ended is null or n.ended = o.ended or not exists (select from head_move m where m.ring = o.ring)))
    limit 1;
    if found then
        raise exception using errcode = 'HF028', message = format('ring %s keeps its name, and does not come back while it has moves', wrong);
    end if;
    return null;
end
$$;
create trigger ring_stays_ended after update on ring referencing old table as before new table as after for each statement execute function ring_stays_ended();
create trigger ring_never_goes before delete or truncate on ring for each statement execute function refuse_to_change();

create function verdict_is_dated() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    new.at := clock_timestamp();
    new.answers := (select g.answers from generation g where g.zone_group = new.zone_group and g.generation = new.generation);
    return new;
end
$$;
create trigger verdict_is_dated before insert on verdict for each row execute function verdict_is_dated();

-- A newer generation rolls back to one before this: so this one has failed, though nobody may have said so yet.
create index plan_rollback on plan (zone_group, rolled_back_to) where kind = 'rollback';
create function is_rolled_back(of_group bigint, of_generation bigint) returns boolean language plpgsql stable
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
    return exists (
        select from plan p
        cross join lateral (select from generation r where r.plan = p.plan and r.generation > of_generation offset 0) r
        where p.zone_group = of_group and p.kind = 'rollback' and p.rolled_back_to < of_generation);
end
$$;

-- Whether a generation that passed, and has not failed, answers the same.
create function answers_have_passed(of_group bigint, of_answers bytea) returns boolean language plpgsql stable
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
    return exists (
        select from verdict v
        where v.zone_group = of_group and v.answers = of_answers and v.passed
          and not exists (select from verdict f where f.zone_group = of_group and f.generation = v.generation and not f.passed offset 0)
          and not is_rolled_back(of_group, v.generation));
end
$$;

-- Passed is what the servers of the first ring have shown, so they must have had it, and there must have been enough of them: when it moved, or now. Or what it answers
-- has passed before. Failed anybody may say who writes verdicts at all; it waits for the moves in flight, so that when it is said no move to that generation is on its way.
create function verdict_is_founded() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    perform refuse_old_snapshot();
    if exists (select from added a where not a.passed) then
        perform pg_advisory_xact_lock(7310);
    end if;
    select a.zone_group, a.generation into wrong
    from added a
    where a.passed and not exists (
        select from ring r
        join head_move m on m.zone_group = a.zone_group and m.ring = r.ring and m.generation = a.generation
        where r.first and r.ended is null and (m.expected is null or cardinality(m.expected) >= r.servers_min
            or r.servers_min <= (
                select count(distinct s.server) from generation g
                join report p on p.zone_group = g.zone_group and p.generation = g.generation and p.id = g.id
                join server s on s.server = p.server and s.instance = p.instance
                where g.zone_group = a.zone_group and g.generation = a.generation and s.ring = r.ring and s.forgotten is null)
            or exists (
                -- Not the one that is being written.
                select from generation g join verdict v on v.zone_group = g.zone_group and v.answers = g.answers and v.passed and v.generation <> g.generation
                where g.zone_group = a.zone_group and g.generation = a.generation
                  and not exists (select from verdict f where f.zone_group = v.zone_group and f.generation = v.generation and not f.passed)
                  and not is_rolled_back(v.zone_group, v.generation))))
    limit 1;
    if found then
        raise exception using errcode = 'HF027',
            message = format('generation %s of group %s cannot have passed: the first ring did not move to it with enough servers to prove it', wrong.generation, wrong.zone_group);
    end if;
    return null;
end
$$;
create trigger verdict_is_founded after insert on verdict referencing new table as added for each statement execute function verdict_is_founded();

-- May a ring that never moved begin with this generation? Servers may have served for years when a ring is added, or its moves were lost (FAILURES.md, 22): it goes
-- where another later ring is or was, or where its own servers say they are; but not to what the first ring is just proving.
create function ring_may_begin_with(of_group bigint, of_ring text, of_generation bigint) returns boolean language plpgsql stable
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
    return not exists (select from head_move m where m.zone_group = of_group and m.ring = of_ring and m.generation <> of_generation)
        and (exists (select from verdict v where v.zone_group = of_group and v.generation = of_generation and v.passed)
             or exists (select from ring r
                        cross join lateral (select m.generation from head_move m where m.zone_group = of_group and m.ring = r.ring and m.generation >= of_generation limit 1) m
                        where r.ring <> of_ring and not r.first and r.ended is null)
             or (exists (select from report p
                         join server s on s.server = p.server and s.instance = p.instance and s.ring = of_ring and s.forgotten is null
                         join generation g on g.zone_group = of_group and g.generation = of_generation and g.id = p.id
                         where p.zone_group = of_group and p.generation = of_generation)
                 and of_generation is distinct from (
                     select max(m.generation) from head_move m join ring r on r.ring = m.ring where m.zone_group = of_group and r.first and r.ended is null)));
end
$$;

-- Runs under the lock that move_waits_for_stops took (0014), with a snapshot that is younger.
create function move_is_proved() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    select a.zone_group, a.ring, a.generation, r.first, r.delay, w.why into wrong
    from added a
    join ring r on r.ring = a.ring
    cross join (select count(*) = 1 as alone from ring where ended is null) n
    cross join lateral (select case
        when r.ended is not null then 'HF028'
        when exists (select from verdict v where v.zone_group = a.zone_group and v.generation = a.generation and not v.passed offset 0) then 'HF026'
        when is_rolled_back(a.zone_group, a.generation) then 'HF026'
        when n.alone then null
        when r.first then case when a.expected is null then 'HF025' end
        when exists (select from verdict v where v.zone_group = a.zone_group and v.generation = a.generation and v.passed and v.at + r.delay <= clock_timestamp() offset 0) then null
        when ring_may_begin_with(a.zone_group, a.ring, a.generation) then null
        else 'HF025'
    end as why offset 0) w
    where w.why is not null
    limit 1;
    if not found then
        return null;
    end if;
    raise exception using errcode = wrong.why, message = case wrong.why
        when 'HF028' then format('ring %s has ended', wrong.ring)
        when 'HF026' then format('generation %s of group %s has failed, or was rolled back: no ring goes there', wrong.generation, wrong.zone_group)
        when 'HF025' then case when wrong.first
            then format('a move of the first ring %s says which servers are to prove generation %s of group %s', wrong.ring, wrong.generation, wrong.zone_group)
            else format('ring %s does not go to generation %s of group %s: it has not passed%s', wrong.ring, wrong.generation, wrong.zone_group,
                        case when wrong.delay > '0' then format(' %s ago', wrong.delay) end) end
    end;
end
$$;
create trigger move_is_proved after insert on head_move referencing new table as added for each statement execute function move_is_proved();

-- Adds a ring, or changes one; null leaves a setting as it is. Making one first takes that from the other.
create procedure set_ring(p_ring text, p_first boolean, p_soak interval, p_delay interval, p_servers_min int, p_reason text, p_token bigint, p_by text) language plpgsql as $$
begin
    set local lock_timeout = '10s';
    insert into ring (ring) values (p_ring) on conflict (ring) do nothing;
    update ring r
    set first = case when r.ring = p_ring then coalesce(p_first, r.first) when p_first then false else r.first end,
        soak = case when r.ring = p_ring then coalesce(p_soak, r.soak) else r.soak end,
        delay = case when r.ring = p_ring then coalesce(p_delay, r.delay) else r.delay end,
        servers_min = case when r.ring = p_ring then coalesce(p_servers_min, r.servers_min) else r.servers_min end,
        ended = case when r.ring = p_ring then null else r.ended end
    where r.ring = p_ring or (p_first and r.first);
    insert into audit (token, by, act, detail) values (p_token, p_by, 'set-ring', jsonb_build_object(
        'ring', p_ring, 'first', p_first, 'soak_s', extract(epoch from p_soak), 'delay_s', extract(epoch from p_delay), 'servers_min', p_servers_min, 'reason', p_reason));
    commit;
end
$$;

-- Ends a ring: it takes no more moves. Where one other ring is left that becomes the first, and is alone; among several, make another one first before.
create procedure end_ring(p_ring text, p_reason text, p_token bigint, p_by text) language plpgsql as $$
begin
    set local lock_timeout = '10s';
    if not exists (select from ring r where r.ring = p_ring and r.ended is null) then
        raise exception using errcode = 'HF029', message = format('there is no ring %s, or it has ended', p_ring);
    end if;
    update ring r
    set ended = case when r.ring = p_ring then clock_timestamp() end,
        first = r.ring <> p_ring and (r.first or (select count(*) = 2 from ring other where other.ended is null))
    where r.ended is null;
    insert into audit (token, by, act, detail) values (p_token, p_by, 'end-ring', jsonb_build_object('ring', p_ring, 'reason', p_reason));
    commit;
end
$$;

-- Enactors write their verdicts. One that is there already stays as it is.
--
-- With p_ids a verdict is on that very generation, and is dropped where there is another of its number:
--   1. an enactor finds that the servers live on generation 5, and is stopped;
--   2. the database is restored to generation 4, and comes to another 5, which nobody has tried;
--   3. the enactor goes on, and its verdict would let that one pass.
create procedure judge(p_groups bigint[], p_generations bigint[], p_passed boolean[], p_whys text[], p_by text, p_ids bytea[]) language plpgsql as $$
begin
    if exists (select from unnest(array [cardinality(p_generations), cardinality(p_passed), cardinality(p_whys), cardinality(p_ids)]) as l (length)
               where l.length is distinct from cardinality(p_groups)) then
        raise exception using errcode = 'HF013', message = 'judge: arrays that belong together differ in length';
    end if;
    insert into verdict (zone_group, generation, passed, why, by)
    select v.zone_group, v.generation, v.passed, v.why, p_by
    from unnest(p_groups, p_generations, p_passed, p_whys, p_ids) as v (zone_group, generation, passed, why, id)
    where exists (select from generation g where g.zone_group = v.zone_group and g.generation = v.generation and g.id = v.id offset 0)
    order by v.zone_group, v.generation, v.passed
    on conflict do nothing;
    commit;
end
$$;

-- A person says that a generation failed.
create procedure fail(p_group bigint, p_generation bigint, p_why text, p_token bigint, p_by text) language plpgsql as $$
begin
    set local lock_timeout = '10s';
    insert into verdict (zone_group, generation, passed, why, by) values (p_group, p_generation, false, p_why, p_by) on conflict do nothing;
    insert into audit (token, by, act, detail, zone_group) values (p_token, p_by, 'fail', jsonb_build_object('generation', p_generation, 'reason', p_why), p_group);
    commit;
end
$$;

-- No generation that was moved to before now waits for this server any longer; what it reported stops no group. If it is live at a later move, it counts again.
create procedure forget_server(p_server text, p_reason text, p_token bigint, p_by text) language plpgsql as $$
begin
    update server set forgotten = clock_timestamp() where server = p_server;
    if not found then
        raise exception using errcode = 'HF029', message = format('there is no server %s', p_server);
    end if;
    insert into audit (token, by, act, detail) values (p_token, p_by, 'forget-server', jsonb_build_object('server', p_server, 'reason', p_reason));
    commit;
end
$$;

revoke execute on function ring_waits_for_moves, rings_have_a_first, ring_stays_ended, verdict_is_dated, is_rolled_back, answers_have_passed, verdict_is_founded, ring_may_begin_with, move_is_proved from public;
revoke execute on procedure set_ring, end_ring, judge, fail, forget_server from public;

grant insert (ring, first, soak, delay, servers_min), update (first, soak, delay, servers_min, ended) on ring to holdfast_admit;
grant update (forgotten) on server to holdfast_admit;
create policy forgotten_servers on server for update to holdfast_admit using (true) with check (true);
grant insert (zone_group, generation, passed, why, by) on verdict to holdfast_admit, holdfast_enact;
-- What passed is for the enactors to say.
alter table verdict enable row level security;
create policy all_verdicts on verdict for select using (true);
create policy verdicts_of_enactors on verdict for insert to holdfast_enact with check (true);
create policy verdicts_of_people on verdict for insert to holdfast_admit with check (not passed);
grant execute on function is_rolled_back, answers_have_passed to holdfast_admit, holdfast_enact, holdfast_read;
grant execute on procedure judge to holdfast_enact;
grant execute on procedure set_ring, end_ring, fail, forget_server to holdfast_admit;
