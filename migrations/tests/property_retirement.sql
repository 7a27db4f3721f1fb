-- Random plans on few names, and retirement among them: what can be read at every generation from the floor on is the same before and after each of its steps, whatever
-- their size and order; and when all of them are done nothing is left that nobody sees. Raises at the first disagreement. Run on a copy of fixture.sql's database, as the
-- owner, who is bound by all refusals: psql -v rounds=300 -f property_retirement.sql

select set_config('property.rounds', :'rounds', false) \g /dev/null
create or replace function generations_remembered() returns int language sql immutable as $$ select 7 $$;
-- All that is read at a generation.
create function fixture.read_at(g bigint) returns text language sql stable as $$
    select md5(coalesce(string_agg(format('%s %s %s %s %s %s', s.zone, s.owner, s.type, s.covered, s.plan, s.value), e'\n' order by s.zone, s.owner, s.type, s.covered), ''))
        || ' ' || string_agg(coalesce(touched_at(z.zone, g), 0) || '/' || record_sets_at(z.zone, g), ',' order by z.zone)
    from (values (1), (2), (-1)) z (zone)
    left join lateral (select * from zone_at(z.zone, g) where value is not null) s on true
$$;
create temporary table seen (generation bigint primary key, world text not null);

do $$
declare
    zones constant bigint[] := '{1,2}';
    waiting bigint[] := '{}';
    candidate bigint;
    place int;
    z bigint;
    tip bigint;
    the_floor bigint;
    wrong record;
    done boolean;
    outcome text;
    removed bigint;
    swept bigint := 0;
    stale int := 0;
begin
    for round in 1 .. current_setting('property.rounds')::int loop
        for i in 1 .. 1 + floor(random() * 6)::int loop
            select max(generation) into tip from generation where zone_group = 1;
            insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent)
            values (1, greatest(1, tip - floor(random() * random() * 20)::int), fixture.h('x'), floor(random() * 10)::int, 0, 0, 0, 0) returning plan into candidate;
            z := zones[1 + floor(random() * 2)::int];
            with named as materialized (
                select case when random() < 0.8 then z else 3 - z end as zone, 'n' || floor(random() * 15)::int as owner, 1 + floor(random() * 2)::int as type
                from generate_series(1, 1 + floor(random() * 4)::int)
                union
                select -1, '@', 65544 where random() < 0.1
            )
            insert into change (zone, owner, type, plan, value)
            select k.zone, k.owner, k.type, candidate,
                   case when k.type <> 65536 then case when random() < 0.35 then null else '\x01'::bytea end
                        when random() < 0.3 then '\x00'
                        when random() < 0.3 then '\x64' || int8send(floor(random() * 9)::bigint - 4)
                        else '\x74' || int8send(floor(random() * 90)::bigint) end
            from (select zone, owner, type from named union select zone, '', 65536 from named) k;
            insert into plan_read (plan, zone, owner) select candidate, z, 'n' || floor(random() * 15)::int where random() < 0.3;
            waiting := waiting || candidate;
            place := cardinality(waiting) - floor(random() * random() * least(cardinality(waiting), 8))::int;
            candidate := waiting[place];
            waiting := waiting[:place - 1] || waiting[place + 1:];
            begin
                perform fixture.name_it(1, candidate);
            exception when sqlstate 'HF004' or sqlstate 'HF032' then
                stale := stale + 1;
            end;
        end loop;
        select max(generation) into tip from generation where zone_group = 1;
        insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', tip - floor(random() * 3)::int, 'e') on conflict do nothing;

        the_floor := greatest(tip - 3 - floor(random() * 8)::int, (select floor from zone_group where zone_group = 1));
        delete from seen;
        insert into seen select g, fixture.read_at(g) from generate_series(the_floor, tip) g;
        call raise_floor(1, the_floor, outcome);
        loop
            case floor(random() * 6)::int
                when 0 then call retire_moves(1, 1 + floor(random() * 5)::int, removed);
                when 1 then call forget_generations(1, 1 + floor(random() * 9)::int, removed, done);
                when 2 then call retire_leftovers(1 + floor(random() * 5)::int, removed);
                else
                    call retire_changes(1, 1 + floor(random() * 12)::int, removed, done);
                    swept := swept + removed;
            end case;
            -- Now and then it is cut off, and the next round goes on.
            exit when random() < 0.15;
        end loop;
        select s.generation, s.world, fixture.read_at(s.generation) as now into wrong from seen s where s.world <> fixture.read_at(s.generation) limit 1;
        if found then
            raise exception 'round %: at generation % with floor % and tip %: % is now %', round, wrong.generation, the_floor, tip, wrong.world, wrong.now;
        end if;
        commit;
    end loop;

    loop
        call retire_changes(1, 1000, removed, done);
        exit when done;
    end loop;
    for i in 1 .. 100 loop
        call retire_moves(1, 1000, removed);
        call forget_generations(1, 1000, removed, done);
        call retire_leftovers(1000, removed);
    end loop;
    -- Of every key at most one version is left at or below the floor, and that is no tombstone; touched rows may count from older ones, and a few were overlooked.
    select c.zone, c.owner, c.type, count(*) as versions into wrong
    from change c join generation g on g.plan = c.plan and g.generation <= the_floor and g.zone_group = 1
    where c.type <> 65536 group by c.zone, c.owner, c.type having count(*) > 1 or bool_or(c.value is null) limit 1;
    if found then
        raise exception 'left over: % of % type % in zone %', wrong.versions, wrong.owner, wrong.type, wrong.zone;
    end if;
    if (select count(*) > 120 from change c join generation g on g.plan = c.plan where c.type = 65536 and g.generation <= the_floor) then
        raise exception 'touched rows pile up';
    end if;
    if (select count(*) > 150 from generation where zone_group = 1) or (select count(*) > 20 from head_move where zone_group = 1) or exists (select from leftover) then
        raise exception 'generations, moves or leftovers pile up: %', (select count(*) from generation);
    end if;
    if exists (select from generation g where g.zone_group = 1 and not exists (select from plan p where p.plan = g.plan)) then
        raise exception 'a generation without its plan';
    end if;
    raise notice '% changes retired, % plans stale, % generations left of %', swept, stale, (select count(*) from generation where zone_group = 1), tip;
end
$$;
