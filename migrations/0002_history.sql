-- The history: groups, zones, plans and their changes, and the generations that name them. Nothing here is ever updated; the newest is the greatest.
--
-- Every refusal has a SQLSTATE of its own, and a message with the figures:
--
--   HF001  not-read-committed       a guarded write under an old snapshot would judge an old world
--   HF002  never-changes            UPDATE, DELETE or TRUNCATE of what is history
--   HF003  plan-closed              a generation names the plan: it takes no more changes and reads, and cannot go
--   HF004  stale-plan               a generation above the plan's own base changed a name of its footprint
--   HF005  unknown-base             the base is above the group's tip
--   HF006  not-next-generation      the generation is not tip + 1
--   HF007  zone-of-another-group    a change or read in a zone that is not of the plan's group
--   HF008  zone-without-soa-or-ns   the plan would leave a zone without SOA or NS at its apex
--   HF009  below-floor              a move to a generation below the group's floor                                        (0003)
--   HF010  head-not-superseded      deleting a move that no greater one of its group and ring outlives                    (0003)
--   HF011  untouched-zone           changes in a zone for which the plan has no `touched` row
--   HF012  empty-plan               a generation for a plan that changes nothing
--   HF013  unlike-lengths           arrays that belong together differ in length                                          (0006, 0007)
--   HF014  plan-of-another-group    a generation of one group names a plan of another
--   HF015  unknown-plan             a change, read or generation of a plan that does not exist (any more)
--   HF016  unknown-zone             a change or read in a zone that does not exist, or a plan for a group that does not
--   HF017  plan-not-given-up        deleting a plan that is younger than an hour, or changes and reads whose plan is still there
--   HF018  number-out-of-order      a generation at or below the plan's base has a plan of a greater number
--   HF019  zone-in-use              deleting a zone that changes or reads refer to
--
-- Refusals are statement triggers with transition tables (a million rows: per statement a third of what they cost per row). They are SECURITY DEFINER, so that
-- the roles need neither the UPDATE right that a row lock asks for, nor a right to read what only the refusal reads; hence the pinned search_path.

create table zone_group (
    zone_group bigint generated always as identity primary key,
    name text collate "C" not null unique check (name ~ '^[a-z0-9_][a-z0-9._-]{0,254}$'),
    -- The oldest generation that can still be read. Nothing raises it yet.
    floor bigint not null default 1 check (floor >= 1)
);

create table zone (
    zone bigint generated always as identity primary key,
    -- Absolute and lower case, with the trailing dot.
    name text collate "C" not null unique check (length(name) between 1 and 1024 and right(name, 1) = '.' and name = lower(name)),
    zone_group bigint not null references zone_group
);

-- Drawn by the trigger plan_is_numbered and by nothing else. No cache: a number that was drawn later must be greater.
create sequence plan_number as bigint cache 1;

create table plan (
    plan bigint primary key,
    zone_group bigint not null references zone_group,
    -- The generation that the plan's author had read. Conflicts are judged against this number, never against a fresh read.
    base bigint not null check (base >= 0),
    token bigint,
    reason text,
    acknowledged jsonb not null default '[]' check (jsonb_typeof(acknowledged) = 'array'),
    digest_delta bytea not null check (length(digest_delta) = 32),
    -- How many names and record sets, for people and for choosing the cheaper way to judge; no refusal rests on them.
    changes int not null check (changes >= 0),
    added int not null check (added >= 0),
    replaced int not null check (replaced >= 0),
    deleted int not null check (deleted >= 0),
    absent int not null check (absent >= 0),
    at timestamptz not null default now()
);
alter sequence plan_number owned by plan.plan;

-- Names that the plan's decision leans on without changing them; owner '' means the whole zone.
create table plan_read (
    plan bigint not null references plan on delete cascade,
    zone bigint not null references zone,
    owner text collate "C" not null check (owner = lower(owner)),
    primary key (plan, zone, owner)
);
create index plan_read_zone on plan_read (zone);

create table change (
    zone bigint not null,
    -- Lower case and relative to the zone; '@' is the apex. A `touched` row belongs to no name: ''.
    owner text collate "C" not null check (owner = lower(owner)),
    -- Below 65536 a DNS type. Ours: 65536 `touched`, 65537 `serial`.
    type int not null check (type between 1 and 65537),
    -- RRSIG (46) says which type it covers.
    covered int not null default 0 check (covered = 0 or (type = 46 and covered between 1 and 65535)),
    plan bigint not null,
    -- No value means gone.
    value bytea check (length(value) > 0),
    primary key (zone, owner, type, covered, plan),
    constraint touched_belongs_to_no_name check ((type = 65536) = (owner = '')),
    constraint touched_has_a_value check (type <> 65536 or value is not null),
    constraint serial_is_at_the_apex check (type <> 65537 or owner = '@')
);
-- zone and plan refer to their tables like foreign keys, but a foreign key is a trigger per row: 1M rows would take 3 times as long. change_is_open checks
-- them per statement, under the same locks; zone_is_unused and plan_is_given_up guard the other side.
create index change_plan on change (plan, zone, owner);
-- Which zones a plan touches, without walking its million changes.
create index change_touched on change (plan, zone) where type = 65536;
-- A plan of a million rows and a hundred thousand of one row: an average says nothing, and "all rows" (what the sample says after one large import) is
-- the costly mistake, because it makes the planner read the whole table for the one row of an increment. So: presume that plans are small.
alter table change alter column plan set (n_distinct = -0.5);

create table generation (
    zone_group bigint not null,
    generation bigint not null check (generation >= 1),
    plan bigint not null unique references plan,
    id bytea not null check (length(id) = 32),
    digest bytea not null check (length(digest) = 32),
    at timestamptz not null default now(),
    primary key (zone_group, generation)
);
-- generation.zone_group is its plan's, which refers to zone_group.
create index generation_plan on generation (zone_group, plan) include (generation);

-- What is history never changes.
create function refuse_to_change() returns trigger language plpgsql as $$
begin
    raise exception using errcode = 'HF002', message = format('%s of %s is refused: what is written there never changes', lower(tg_op), tg_table_name);
end
$$;

create trigger zone_group_never_changes before update or delete or truncate on zone_group for each statement execute function refuse_to_change();
create trigger zone_never_changes before update or truncate on zone for each statement execute function refuse_to_change();
create trigger plan_never_changes before update or truncate on plan for each statement execute function refuse_to_change();
create trigger plan_read_never_changes before update or truncate on plan_read for each statement execute function refuse_to_change();
create trigger change_never_changes before update or truncate on change for each statement execute function refuse_to_change();
create trigger generation_never_changes before update or delete or truncate on generation for each statement execute function refuse_to_change();

create function refuse_old_snapshot() returns void language plpgsql stable as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception using errcode = 'HF001',
            message = format('refused under %s: its snapshot may be older than what has to be judged; use read committed', current_setting('transaction_isolation'));
    end if;
end
$$;

-- A plan's number is drawn here, after its base was seen, and never taken from the caller. An identity default would be drawn too early:
--   1. plan A draws 7;
--   2. plan B draws 8, is admitted as generation 4, and changes `www`;
--   3. A's author now reads generation 4 and inserts A with base 4: not stale, so it may change `www` again, as generation 5.
-- Then the newest version of `www` would be in plan 7 and not in plan 8. Drawn after step 3's look, A's number is greater than those of all plans at or below its base.
create function plan_is_numbered() returns trigger language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    tip bigint;
begin
    perform refuse_old_snapshot();
    select max(g.generation) into tip from generation g where g.zone_group = new.zone_group;
    if new.base > coalesce(tip, 0) then
        raise exception using errcode = 'HF005',
            message = format('the base %s is above the tip %s of group %s', new.base, coalesce(tip, 0), new.zone_group);
    end if;
    new.plan := nextval('plan_number');
    new.at := clock_timestamp();
    -- Somebody may have set the sequence back: what a plan of this number left behind must not become part of this one.
    if exists (select from change c where c.plan = new.plan) then
        raise exception using errcode = 'HF003', message = format('plan number %s was drawn before, and changes still bear it', new.plan);
    end if;
    return new;
end
$$;
create trigger plan_is_numbered before insert on plan for each row execute function plan_is_numbered();

-- Giving a plan up is deleting its row: one fact that all see at once. Its changes go afterwards, in batches of any size. The other way round:
--   1. clean-up deletes the first half of a plan's changes;
--   2. the plan's author, slow but alive, has it admitted;
--   3. half a plan is in force.
-- As it is, the author of step 2 finds no plan that a generation could name. The hour is only politeness to slow authors; a wrong clock costs one of them a plan.
create function plan_is_given_up() returns trigger language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    held record;
begin
    perform refuse_old_snapshot();
    -- The foreign key of generation says so too, but later and in words of its own.
    select g.plan, g.zone_group, g.generation into held from removed r join generation g on g.plan = r.plan limit 1;
    if found then
        raise exception using errcode = 'HF003', message = format('plan %s is generation %s of group %s and stays', held.plan, held.generation, held.zone_group);
    end if;
    select r.plan, r.at into held from removed r where r.at > clock_timestamp() - interval '1 hour' limit 1;
    if found then
        raise exception using errcode = 'HF017', message = format('plan %s was inserted at %s: a plan is given up when it is older than an hour', held.plan, held.at);
    end if;
    return null;
end
$$;
create trigger plan_is_given_up after delete on plan referencing old table as removed for each statement execute function plan_is_given_up();

-- Changes and reads of an open plan do not go one by one: without a read, a stale plan would look fresh.
create function plan_is_gone() returns trigger language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    held bigint;
begin
    perform refuse_old_snapshot();
    select p.plan into held from plan p where p.plan = any (array (select distinct r.plan from removed r)) limit 1;
    if found then
        if exists (select from generation g where g.plan = held) then
            raise exception using errcode = 'HF003', message = format('rows of %s stay: a generation names plan %s', tg_table_name, held);
        end if;
        raise exception using errcode = 'HF017', message = format('rows of %s stay as long as plan %s does: give up the plan first', tg_table_name, held);
    end if;
    return null;
end
$$;
create trigger change_goes_after_its_plan after delete on change referencing old table as removed for each statement execute function plan_is_gone();
create trigger plan_read_goes_after_its_plan after delete on plan_read referencing old table as removed for each statement execute function plan_is_gone();

-- A plan takes changes and reads until a generation names it. Told as moves:
--   1. a change is inserted, and locks its plan FOR KEY SHARE here;
--   2. a generation that names the plan wants it FOR UPDATE (generation_is_next), waits, and then sees that change.
-- Or the other way round:
--   1. the generation holds the plan FOR UPDATE, not committed yet;
--   2. the late change waits here; when it gets the lock, the next statement's snapshot shows the generation: refused.
create function change_is_open() returns trigger language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    plans bigint[];
    zones bigint[];
    wrong record;
begin
    perform refuse_old_snapshot();
    select array_agg(a.plan), array_agg(a.zone) into plans, zones from (select distinct plan, zone from added) a;
    if plans is null then
        return null;
    end if;

    perform from plan p where p.plan = any (plans) order by p.plan for key share;
    perform from zone z where z.zone = any (zones) order by z.zone for key share;

    select g.plan, g.zone_group, g.generation into wrong from generation g where g.plan = any (plans) limit 1;
    if found then
        raise exception using errcode = 'HF003',
            message = format('plan %s is closed: it is generation %s of group %s', wrong.plan, wrong.generation, wrong.zone_group);
    end if;

    select a.plan, a.zone, p.zone_group as plans_group, z.zone_group as zones_group into wrong
    from unnest(plans, zones) as a (plan, zone)
    left join plan p on p.plan = a.plan
    left join zone z on z.zone = a.zone
    where p.zone_group is distinct from z.zone_group or p.plan is null
    limit 1;
    if found then
        if wrong.plans_group is null then
            raise exception using errcode = 'HF015', message = format('there is no plan %s', wrong.plan);
        elsif wrong.zones_group is null then
            raise exception using errcode = 'HF016', message = format('there is no zone %s, in which plan %s would change or read names', wrong.zone, wrong.plan);
        end if;
        raise exception using errcode = 'HF007',
            message = format('plan %s is of group %s, but zone %s is of group %s', wrong.plan, wrong.plans_group, wrong.zone, wrong.zones_group);
    end if;

    if tg_table_name = 'change' then
        select a.plan, a.zone into wrong
        from unnest(plans, zones) as a (plan, zone)
        where not exists (select from change c where c.zone = a.zone and c.owner = '' and c.type = 65536 and c.covered = 0 and c.plan = a.plan)
        limit 1;
        if found then
            raise exception using errcode = 'HF011', message = format('plan %s has changes in zone %s, but no touched row for it', wrong.plan, wrong.zone);
        end if;
    end if;
    return null;
end
$$;
create trigger change_is_open after insert on change referencing new table as added for each statement execute function change_is_open();
create trigger plan_read_is_open after insert on plan_read referencing new table as added for each statement execute function change_is_open();

-- A zone can go while nothing refers to it. The inserting side holds it FOR KEY SHARE, so one of the two waits for the other and then sees it.
create function zone_is_unused() returns trigger language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    used bigint;
begin
    perform refuse_old_snapshot();
    select r.zone into used from removed r
    where exists (select from change c where c.zone = r.zone offset 0) or exists (select from plan_read p where p.zone = r.zone offset 0)
    limit 1;
    if found then
        raise exception using errcode = 'HF019', message = format('zone %s stays: plans refer to it', used);
    end if;
    return null;
end
$$;
create trigger zone_is_unused after delete on zone referencing old table as removed for each statement execute function zone_is_unused();

-- The first name of a plan's footprint that a generation of (above, upto] changed, or nothing. A name in `change` and in plan_read is (zone, owner).
--
-- Two ways, the cheaper is taken; both cost what they look at, whatever the length of the history:
--   theirs  walk what those generations changed, and look each up in the plan's own names;
--   mine    take each of the plan's own names, and look at its newest version at or below `upto`, type by type. That is enough, because per name the numbers of
--           plans rise with their generations: if the newest is at or below `above`, all are. (generation_is_next keeps it so: HF004 and HF018.)
-- A whole zone that was read is judged by the `touched` rows, which are outside of that order: two plans that share no name may be admitted in any order.
--
-- "offset 0" keeps a lookup a lookup: the planner may not turn it into a join over the whole history.
create function first_conflict(of_plan bigint, of_group bigint, above bigint, upto bigint, out zone bigint, out owner text, out generation bigint)
language plpgsql stable
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    names_of_mine bigint;
    names_of_theirs bigint;
begin
    select c.zone, '', g.generation into zone, owner, generation
    from plan_read r
    cross join lateral (
        select c.zone, c.plan from change c
        where c.zone = r.zone and c.owner = '' and c.type = 65536 and c.covered = 0
          and c.plan = any (array (select g.plan from generation g where g.zone_group = of_group and g.generation > above and g.generation <= upto))
        limit 1
    ) c
    join generation g on g.plan = c.plan
    where r.plan = of_plan and r.owner = ''
    limit 1;
    if found then
        return;
    end if;

    select p.changes + (select count(*) from plan_read r where r.plan = of_plan) into names_of_mine from plan p where p.plan = of_plan;
    -- Every generation changes something, so there are at least so many of theirs; add them up only if that can pay.
    names_of_theirs := upto - above;
    if names_of_theirs < names_of_mine then
        select sum(p.changes) into names_of_theirs
        from generation g
        cross join lateral (select p.changes from plan p where p.plan = g.plan offset 0) p
        where g.zone_group = of_group and g.generation > above and g.generation <= upto;
    end if;

    if names_of_theirs < names_of_mine then
        select c.zone, c.owner, g.generation into zone, owner, generation
        from change c
        join generation g on g.plan = c.plan
        where c.plan = any (array (select g.plan from generation g where g.zone_group = of_group and g.generation > above and g.generation <= upto))
          and c.owner <> ''
          and (exists (select from change m where m.plan = of_plan and m.zone = c.zone and m.owner = c.owner offset 0)
               or exists (select from plan_read r where r.plan = of_plan and r.zone = c.zone and r.owner = c.owner offset 0))
        limit 1;
    else
        with recursive mine as (
            select c.zone, c.owner from change c where c.plan = of_plan and c.owner <> ''
            union
            select r.zone, r.owner from plan_read r where r.plan = of_plan and r.owner <> ''
        ), kind as (
            select n.zone, n.owner, k.type, k.covered
            from mine n
            cross join lateral (
                select c.type, c.covered from change c where c.zone = n.zone and c.owner = n.owner order by c.type, c.covered limit 1
            ) k
            union all
            select k.zone, k.owner, m.type, m.covered
            from kind k
            cross join lateral (
                select c.type, c.covered from change c
                where c.zone = k.zone and c.owner = k.owner and (c.type, c.covered) > (k.type, k.covered)
                order by c.type, c.covered limit 1
            ) m
        )
        select k.zone, k.owner, newest.generation into zone, owner, generation
        from kind k
        cross join lateral (
            select g.generation
            from change c
            cross join lateral (select g.generation from generation g where g.plan = c.plan and g.generation <= upto offset 0) g
            where c.zone = k.zone and c.owner = k.owner and c.type = k.type and c.covered = k.covered
            order by c.plan desc limit 1
        ) newest
        where newest.generation > above
        limit 1;
    end if;
end
$$;

-- The door of the history: a generation is the next one, of a plan that is not stale, and leaves every zone that it touches with SOA and NS.
-- The plan is locked first and everything is read afterwards, so that a change that came in just before is judged as well (see change_is_open).
create function generation_is_next() returns trigger language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    asked record;
    named record;
    tip bigint;
    wrong record;
begin
    perform refuse_old_snapshot();
    for asked in select a.zone_group, a.generation, a.plan from added a order by a.zone_group, a.generation loop
        select p.zone_group, p.base into named from plan p where p.plan = asked.plan for update;
        if named.zone_group is distinct from asked.zone_group then
            raise exception using errcode = 'HF014',
                message = format('plan %s is of group %s, but generation %s is of group %s', asked.plan, named.zone_group, asked.generation, asked.zone_group);
        end if;

        select coalesce(max(g.generation), 0) into tip from generation g where g.zone_group = asked.zone_group and g.generation < asked.generation;
        if asked.generation <> tip + 1 then
            raise exception using errcode = 'HF006',
                message = format('generation %s of group %s is not the next one: the tip is %s', asked.generation, asked.zone_group, tip);
        end if;

        if named.base > tip then
            raise exception using errcode = 'HF005', message = format('the base %s of plan %s is above the tip %s', named.base, asked.plan, tip);
        end if;
        -- Nearly always nothing has a greater number, so that is looked up, and the base compared afterwards: the other way round is the whole history.
        select g.plan, g.generation into wrong
        from (select g.plan, g.generation from generation g where g.zone_group = asked.zone_group and g.plan > asked.plan offset 0) g
        where g.generation <= named.base limit 1;
        if found then
            raise exception using errcode = 'HF018',
                message = format('plan %s has base %s, but generation %s already has plan %s: the numbers would not rise', asked.plan, named.base, wrong.generation, wrong.plan);
        end if;

        if not exists (select from change c where c.plan = asked.plan and c.owner <> '') then
            raise exception using errcode = 'HF012', message = format('plan %s changes nothing', asked.plan);
        end if;

        if named.base < tip then
            select c.zone, c.owner, c.generation into wrong from first_conflict(asked.plan, asked.zone_group, named.base, tip) c;
            if wrong.generation is not null then
                raise exception using errcode = 'HF004',
                    message = format('plan %s is stale: its base is %s, and generation %s changed %s of zone %s', asked.plan, named.base, wrong.generation,
                                     case wrong.owner when '' then 'something' else wrong.owner end, wrong.zone);
            end if;
        end if;

        select needed.type, c.zone into wrong
        from change c
        cross join (values (6), (2)) as needed (type)
        where c.plan = asked.plan and c.type = 65536 and not coalesce((
            -- The newest version of the key, this plan's included: it is a generation's by now.
            select v.value is not null from change v
            where v.zone = c.zone and v.owner = '@' and v.type = needed.type and v.covered = 0
              and exists (select from generation g where g.plan = v.plan and g.generation <= asked.generation offset 0)
            order by v.plan desc limit 1), false)
        limit 1;
        if found then
            raise exception using errcode = 'HF008',
                message = format('plan %s would leave zone %s without %s at its apex', asked.plan, wrong.zone, case wrong.type when 6 then 'SOA' else 'NS' end);
        end if;
    end loop;
    return null;
end
$$;
create trigger generation_is_next after insert on generation referencing new table as added for each statement execute function generation_is_next();

revoke execute on function refuse_to_change, refuse_old_snapshot, plan_is_numbered, plan_is_given_up, plan_is_gone, change_is_open, zone_is_unused,
    first_conflict, generation_is_next from public;

grant select on zone_group, zone, plan, plan_read, change, generation to holdfast_admit, holdfast_read;
grant insert (name) on zone_group to holdfast_admit;
grant insert (name, zone_group) on zone to holdfast_admit;
-- Not the number and not the hour: those are the database's.
grant insert (zone_group, base, token, reason, acknowledged, digest_delta, changes, added, replaced, deleted, absent) on plan to holdfast_admit;
grant insert on plan_read, change to holdfast_admit;
grant insert (zone_group, generation, plan, id, digest) on generation to holdfast_admit;
grant select on zone_group, generation to holdfast_enact;
