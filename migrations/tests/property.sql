-- Random plans on few names, staged at once and named at any later time: the door's verdict must be that of a judge who looks at every row, and per name the
-- numbers of plans must rise with their generations. Raises at the first disagreement. Run on a copy of fixture.sql's database: psql -v rounds=20000 -f property.sql

select set_config('property.rounds', :'rounds', false) \g /dev/null
do $$
declare
    zones constant bigint[] := '{1,2}';
    waiting bigint[] := '{}';
    candidate bigint;
    the_base bigint;
    the_tip bigint;
    expected boolean;
    got text;
    admitted int := 0;
    stale int := 0;
    place int;
    z bigint;
begin
    for round in 1 .. current_setting('property.rounds')::int loop
        select max(generation) into the_tip from generation where zone_group = 1;
        -- Stage a plan with a base of the last few generations: one to four names, some in both zones, some reads, now and then a whole zone.
        insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent)
        values (1, greatest(0, the_tip - floor(random() * random() * 12)::int), fixture.h('x'), floor(random() * 40)::int, 0, 0, 0, 0) returning plan into candidate;
        z := zones[1 + floor(random() * 2)::int];
        with named as materialized (
            select case when random() < 0.9 then z else 3 - z end as zone, 'n' || floor(random() * 25)::int as owner, 1 + floor(random() * 3)::int as type
            from generate_series(1, 1 + floor(random() * 4)::int)
        )
        insert into change (zone, owner, type, plan, value)
        select k.zone, k.owner, k.type, candidate, case when k.type <> 65536 and random() < 0.2 then null else '\x01'::bytea end
        from (select zone, owner, type from named union select zone, '', 65536 from named) k;
        if random() < 0.3 then
            insert into plan_read (plan, zone, owner)
            select distinct candidate, zones[1 + floor(random() * 2)::int], case when random() < 0.2 then '' else 'n' || floor(random() * 25)::int end
            from generate_series(1, 1 + floor(random() * 2)::int) on conflict do nothing;
        end if;
        waiting := waiting || candidate;

        -- Name one of those that wait, mostly a young one.
        place := cardinality(waiting) - floor(random() * random() * least(cardinality(waiting), 10))::int;
        candidate := waiting[place];
        waiting := waiting[:place - 1] || waiting[place + 1:];
        select base into the_base from plan where plan = candidate;
        expected := not exists (
            select from generation g join change t on t.plan = g.plan
            where g.zone_group = 1 and g.generation > the_base and (
                exists (select from change m where m.plan = candidate and m.zone = t.zone and m.owner = t.owner and m.type <> 65536 and t.type <> 65536)
                or exists (select from plan_read r where r.plan = candidate and r.zone = t.zone and (r.owner = '' or r.owner = t.owner))));
        begin
            perform fixture.name_it(1, candidate);
            got := 'admitted';
            admitted := admitted + 1;
        exception
            when sqlstate 'HF004' then
                got := 'stale';
                stale := stale + 1;
        end;
        if expected <> (got = 'admitted') then
            raise exception 'round %: plan % of base % on tip % was %, against what every row says', round, candidate, the_base, the_tip, got;
        end if;
        if round % 1000 = 0 and exists (
            select from (select c.zone, c.owner, g.generation, g.plan,
                                lag(g.plan) over (partition by c.zone, c.owner, c.type order by g.generation) as below
                         from change c join generation g on g.plan = c.plan where c.type <> 65536) v
            where v.below > v.plan)
        then
            raise exception 'round %: a name whose plan numbers do not rise with its generations', round;
        end if;
        if round % 1000 = 0 and exists (
            select from (select * from names_at_tip(array (select 1::bigint from generate_series(0, 24)), array (select 'n' || i from generate_series(0, 24) i))) a
            full join (select distinct on (c.owner, c.type) c.owner, c.type, c.plan, c.value from change c join generation g on g.plan = c.plan
                       where c.zone = 1 and c.owner ~ '^n[0-9]' order by c.owner, c.type, g.generation desc) b
                on b.owner = a.owner and b.type = a.type
            where a.plan is distinct from b.plan or a.value is distinct from b.value)
        then
            raise exception 'round %: names_at_tip disagrees with the rows', round;
        end if;
        if round % 500 = 0 then
            the_tip := floor(random() * the_tip)::int + 1;
            if exists (
                select from zone_at(1, the_tip) a
                full join (select distinct on (c.owner, c.type) c.owner, c.type, c.plan, g.generation from change c join generation g on g.plan = c.plan
                           where c.zone = 1 and g.generation <= the_tip order by c.owner, c.type, g.generation desc) b
                    on b.owner = a.owner and b.type = a.type
                where a.plan is distinct from b.plan or a.generation is distinct from b.generation)
            then
                raise exception 'round %: zone_at % disagrees with the rows', round, the_tip;
            end if;
        end if;
    end loop;
    raise notice '% admitted, % stale', admitted, stale;
end
$$;
