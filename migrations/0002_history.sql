-- The history: groups, zones, plans and their changes, and the generations that name them. Nothing here is ever updated; the newest is the greatest.
--
-- Every refusal has a SQLSTATE of its own, and a message with the figures:
--
--   HF001  not-read-committed       a guarded write under an old snapshot would judge an old world
--   HF002  never-changes            UPDATE, DELETE or TRUNCATE of what is history
--   HF003  plan-closed              a generation (or an idempotency key, 0005) names the plan: it takes no more changes and reads, and cannot go
--   HF004  stale-plan               a generation above the plan's own base changed a name of its footprint
--   HF005  unknown-base             the base is above the group's tip
--   HF006  not-next-generation      the generation is not tip + 1, or that of a raise not one with which a new epoch begins
--   HF007  zone-of-another-group    a change or read in a zone that is not of the plan's group
--   HF008  zone-without-soa-or-ns   the plan would leave a zone without SOA or NS at its apex, and does not end it
--   HF009  below-floor              a move to, or a pin of, a generation below the group's floor                          (0003, 0016)
--   HF010  head-not-superseded      deleting a move that no greater one of its group and ring outlives                    (0003)
--   HF011  untouched-zone           changes in a zone for which the plan has no `touched` row
--   HF012  empty-plan               a generation for a plan that changes nothing
--   HF013  unlike-lengths           arrays that belong together differ in length                                          (0006, 0007)
--   HF014  plan-of-another-group    a generation of one group names a plan of another
--   HF015  unknown-plan             a change, read or generation of a plan that does not exist (any more)
--   HF016  unknown-zone             a change or read in a zone that does not exist; a plan for a group, or of a token, that does not
--   HF017  plan-not-given-up        deleting a plan that is younger than an hour, or changes and reads whose plan is still there
--   HF018  number-out-of-order      a generation at or below the plan's base has a plan of a greater number
--   HF019  zone-in-use              deleting a zone that changes or reads refer to
--   HF020  key-of-another-token     an idempotency key of one token for a plan of another                                 (0005)
--   HF021  misshapen                a row that cannot mean anything: an empty value, a name in upper case, an id that is not 32 bytes long
--   HF022  frozen                   a move that a stop covers                                                             (0014)
--   HF023  history-behind           a generation for a group of which servers report what this history does not know
--   HF024  stop-not-over            ending the stop of such a group while they still do                                   (0014)
--   HF025  unproved                 a move of a later ring to a generation without a passed verdict that is old enough    (0015)
--   HF026  failed-generation        a move to a generation that failed                                                    (0015)
--   HF027  nothing-proved           a passed verdict on a generation that the first ring's servers had no chance to prove (0015)
--   HF028  ring-ended               a move of a ring that ended; rings of which not exactly one is first                  (0015)
--   HF029  unknown-ring             … or server: there is none of that name                                               (0015)
--   HF030  guarded-name              the plan would leave a guarded record set absent or below its minimum, or guards one that is not there
--   HF031  budget-given-back         the deletes that a group has spent would become fewer
--   HF032  base-below-floor          a generation for a plan that was made on one below the floor, or that rolls back to one
--   HF033  floor-falls               a floor that is set below where it was                                               (0016)
--   HF034  floor-without-generation  a floor at a generation that there is not                                            (0016)
--   HF035  floor-held                a floor above a pin, or above the head of a living ring, or past a ring without one  (0016)
--   HF036  still-seen                deleting a change that a generation at or above the floor sees                       (0016)
--   HF037  still-remembered          deleting a generation, verdict or key that is above the floor, or not old enough     (0016)
--   HF038  another-parent            a generation that was decided on another one than it would follow, or a staged plan that is not as it was staged
--
-- Refusals are statement triggers with transition tables (a million rows: per statement a third of what they cost per row). They are SECURITY DEFINER, so that
-- the roles need neither the UPDATE right that a row lock asks for, nor a right to read what only the refusal reads; hence the pinned search_path.
-- Three of them stand in the way of every plan, so they judge in one query each. Three idioms keep that query cheap and right:
--
--   offset 0        keeps a look-up by index a look-up, whatever the planner thinks of the tables' sizes: it may not become a join over the whole history.
--   set enable_…    plans are cached for as long as a session lasts, and one that was made while a table was small (read it all, or collect and sort) would be kept
--                   while it grows to millions. By index, in order, is never wrong here. Nor is anything worth compiling (jit: 0.3 s).
--   xmin, "own"     a plan that this very transaction inserted is seen by nobody else, so it needs no lock. Any other is locked first, and judged by the next
--                   statement, whose snapshot is younger than the lock.
--
-- References that foreign keys could hold, but that are checked in those queries instead: a foreign key fires per row (a million changes: three times as long) and
-- locks the row that it points at, and all plans point at the same few groups and tokens. Those never go, so to have seen them is enough; plans and zones can go,
-- so plans are locked, and what deletes either (plan_is_given_up, zone_is_unused) looks from the other side. Nor are there CHECKs on the tables that every plan writes:
-- Postgres parses them anew for each statement, which is a sixth of a small plan's cost.

create table zone_group (
    zone_group bigint generated always as identity primary key,
    name text collate "C" not null unique check (name ~ '^[a-z0-9_][a-z0-9._-]{0,254}$'),
    -- The oldest generation that can still be read. The one column here that is ever updated (0016_retirement.sql).
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
    zone_group bigint not null,
    -- The generation that the plan's author had read. Conflicts are judged against this number, never against a fresh read.
    base bigint not null,
    token bigint,
    reason text,
    acknowledged jsonb not null default '[]',
    digest_delta bytea not null,
    -- `change`; `rollback` to what stood at rolled_back_to; `raise` begins an epoch; `end-zone` takes all from some zone. What only some kinds may: their generation_is_next.
    kind text not null default 'change',
    -- A rollback whose generation may be enacted through a freeze.
    through_freeze boolean not null default false,
    rolled_back_to bigint,
    -- How many names and record sets, for people and for choosing the cheaper way to judge; no refusal rests on them.
    changes int not null,
    added int not null,
    replaced int not null,
    deleted int not null,
    absent int not null,
    at timestamptz not null default now()
);
alter sequence plan_number owned by plan.plan;

-- Names that the plan's decision leans on without changing them; owner '' means the whole zone.
create table plan_read (
    plan bigint not null,
    zone bigint not null,
    owner text collate "C" not null,
    primary key (plan, zone, owner)
);
create index plan_read_zone on plan_read (zone);

create table change (
    -- A group's settings stand in a zone of their own, which has no row in `zone` and the group's number below zero.
    zone bigint not null,
    -- Lower case and relative to the zone; '@' is the apex. A `touched` row belongs to no name: ''.
    owner text collate "C" not null,
    -- Below 65536 a DNS type. Ours, in zones:
    --   65536 `touched`: 't' and how many record sets stand in the zone then, or 'd' and how many more than before (eight bytes, a plan that was staged does not know
    --         which tip it lands on); see record_sets_at
    --   65537 `serial`, 4 bytes    65538 `guarded`: the record set (owner, covered) is never absent nor has fewer records than the value says, 2 bytes
    -- Settings of a group: 65540 deleted-share, 65541 changed-share, 65542 velocity (a number that is always allowed, 4 bytes, and per cent, 1 byte),
    -- 65543 references (1 byte, 0 for off), 65544 closed (to planners: why).
    type int not null,
    -- RRSIG (46) says which type it covers, `guarded` which type it guards.
    covered int not null default 0,
    plan bigint not null,
    -- No value means gone.
    value bytea,
    -- The absolute names in lower case that a CNAME, NS, MX or SRV set points at.
    points_to text[] collate "C",
    primary key (zone, owner, type, covered, plan)
);
create index change_plan on change (plan, zone, owner);
-- Which zones a plan touches, without walking its million changes.
create index change_touched on change (plan, zone) where type = 65536;
-- The guarded names of a zone, for a plan that has more names than that.
create index change_guarded on change (zone, owner, covered, plan) where type = 65538;
-- Who points at a name. Kept as it is written (no pending list), so that a look costs what it finds.
create index change_points_to on change using gin (points_to) with (fastupdate = off) where points_to is not null;
-- A plan of a million rows and a hundred thousand of one row: an average says nothing, and "all rows" (what the sample says after one large import) is
-- the costly mistake, because it makes the planner read the whole table for the one row of an increment. So: presume that plans are small.
alter table change alter column plan set (n_distinct = -0.5);

create table generation (
    zone_group bigint not null,
    generation bigint not null,
    plan bigint not null unique,
    id bytea not null,
    digest bytea not null,
    -- The id of the generation that it was decided on, and so has to follow (generation_is_next); none for a group's first.
    parent bytea,
    -- The digest of what answers alone are made of. Who leaves it out vouches for nothing: it is like no other.
    answers bytea not null default sha256(uuid_send(gen_random_uuid())),
    -- How many record sets planners' plans have deleted in the group so far: the difference of two is what a window saw.
    deletes_spent bigint not null default 0,
    at timestamptz not null default now(),
    -- The transaction that wrote it: by it those who come back tell what is new to them (0018_events.sql).
    xact xid8 not null default pg_current_xact_id(),
    primary key (zone_group, generation)
);
create index generation_plan on generation (zone_group, plan) include (generation);

-- What is history never changes.
create function refuse_to_change() returns trigger language plpgsql as $$
begin
    raise exception using errcode = 'HF002', message = format('%s of %s is refused: what is written there never changes', lower(tg_op), tg_table_name);
end
$$;

create trigger zone_group_never_goes before delete or truncate on zone_group for each statement execute function refuse_to_change();
create trigger zone_never_changes before update or truncate on zone for each statement execute function refuse_to_change();
create trigger plan_never_changes before update or truncate on plan for each statement execute function refuse_to_change();
create trigger plan_read_never_changes before update or truncate on plan_read for each statement execute function refuse_to_change();
create trigger change_never_changes before update or truncate on change for each statement execute function refuse_to_change();
create trigger generation_never_changes before update or truncate on generation for each statement execute function refuse_to_change();

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
-- Then the newest version of `www` would be in plan 7 and not in plan 8. Here the number is drawn by the query that looks at the tip, so after its snapshot: it is
-- greater than the numbers of all plans at or below the base.
create function plan_is_numbered() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    seen record;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        perform refuse_old_snapshot();
    end if;
    select
        n.plan,
        (select g.generation from generation g where g.zone_group = new.zone_group order by g.generation desc limit 1) as tip,
        exists (select from zone_group z where z.zone_group = new.zone_group) as group_exists,
        new.rolled_back_to is null
            or exists (select from generation g where g.zone_group = new.zone_group and g.generation = new.rolled_back_to and g.generation <= new.base) as target_exists,
        new.token is null or exists (select from token t where t.token = new.token) as token_exists,
        (select c.plan from change c where c.plan = n.plan order by c.plan, c.zone, c.owner limit 1) is not null as drawn_before
    into seen
    from (select nextval('plan_number') as plan offset 0) n;
    if (new.base >= 0 and length(new.digest_delta) = 32 and jsonb_typeof(new.acknowledged) = 'array'
        and least(new.changes, new.added, new.replaced, new.deleted, new.absent) >= 0
        and new.kind in ('change', 'rollback', 'raise', 'end-zone') and (new.kind = 'rollback') = (new.rolled_back_to is not null)
        and (new.kind = 'rollback' or not new.through_freeze)) is false
    then
        raise exception using errcode = 'HF021',
            message = format('a plan of kind %s (to %s, through a freeze: %s) with base %s, a digest delta of %s bytes, acknowledged %s and counts %s', new.kind,
                             coalesce(new.rolled_back_to::text, 'nothing'), new.through_freeze, new.base, length(new.digest_delta), new.acknowledged,
                             array [new.changes, new.added, new.replaced, new.deleted, new.absent]);
    elsif not seen.group_exists then
        raise exception using errcode = 'HF016', message = format('there is no group %s', new.zone_group);
    elsif not seen.token_exists then
        raise exception using errcode = 'HF016', message = format('there is no token %s', new.token);
    elsif new.base > coalesce(seen.tip, 0) then
        raise exception using errcode = 'HF005',
            message = format('the base %s is above the tip %s of group %s', new.base, coalesce(seen.tip, 0), new.zone_group);
    elsif not seen.target_exists then
        raise exception using errcode = 'HF005',
            message = format('group %s has no generation %s at or below the base %s, to which it could be rolled back', new.zone_group, new.rolled_back_to, new.base);
    elsif seen.drawn_before then
        -- Somebody set the sequence back. What a plan of this number left behind must not become part of this one.
        raise exception using errcode = 'HF003', message = format('plan number %s was drawn before, and changes still bear it', seen.plan);
    end if;
    new.plan := seen.plan;
    new.at := clock_timestamp();
    return new;
end
$$;
create trigger plan_is_numbered before insert on plan for each row execute function plan_is_numbered();

-- Giving a plan up is deleting its row: one fact that all see at once. Its changes go afterwards, in batches of any size. The other way round:
--   1. clean-up deletes the first half of a plan's changes;
--   2. the plan's author, slow but alive, has it admitted;
--   3. half a plan is in force.
-- As it is, the author of step 2 finds no plan that a generation could name. The hour is only politeness to slow authors; a wrong clock costs one of them a plan.
create function plan_is_given_up() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    held record;
begin
    perform refuse_old_snapshot();
    -- The foreign key of generation says so too, but later and in words of its own.
    select g.plan, g.zone_group, g.generation into held from removed r join generation g on g.plan = r.plan limit 1;
    if found then
        raise exception using errcode = 'HF003', message = format('plan %s is generation %s of group %s and stays', held.plan, held.generation, held.zone_group);
    end if;
    -- One whose base is below the floor can be admitted no more (HF032), so nobody's slowness is in question.
    select r.plan, r.at into held from removed r
    where r.at > clock_timestamp() - interval '1 hour' and not exists (select from zone_group z where z.zone_group = r.zone_group and r.base < z.floor and z.floor > 1)
    limit 1;
    if found then
        raise exception using errcode = 'HF017', message = format('plan %s was inserted at %s: a plan is given up when it is older than an hour', held.plan, held.at);
    end if;
    return null;
end
$$;
create trigger plan_is_given_up after delete on plan referencing old table as removed for each statement execute function plan_is_given_up();

-- A plan takes changes and reads until a generation names it. Told as moves:
--   1. a change is inserted, and locks its plan FOR KEY SHARE here;
--   2. a generation that names the plan wants it FOR UPDATE (generation_is_next), waits, and then sees that change.
-- Or the other way round:
--   1. the generation holds the plan FOR UPDATE, not committed yet;
--   2. the late change waits here; when it gets the lock, the next statement's snapshot shows the generation: refused.
create function is_well_formed(zone bigint, owner text, type int, covered int, value bytea) returns boolean language sql immutable as $$
    select (type between 1 and 65538 or type between 65540 and 65544)
        and (covered = 0 or (type = 46 and covered between 1 and 65535) or type = 65538)
        and (value is null or length(value) > 0)
        and owner = lower(owner collate "C")
        -- A `touched` row belongs to no name, and every other one to a name. The serial is the apex's.
        and (type = 65536) = (owner = '')
        and (type <> 65536 or value is not null)
        and (type not in (65537, 65540, 65541, 65542, 65543, 65544) or owner = '@')
        -- A guarded set has one key (signatures have one for each type that they cover), and a minimum of at least one record.
        and (type <> 65538 or (covered between 1 and 65535 and covered <> 46 and (value is null or (length(value) = 2 and value <> '\x0000'))))
        -- Settings, and nothing else, are the group's.
        and (type = 65536 or (type >= 65540) = (zone < 0))
        and (value is null or case
            when type in (65540, 65541, 65542) then length(value) = 5 and get_byte(value, 4) <= 100
            when type = 65543 then value in ('\x00', '\x01')
            when type = 65544 then length(value) <= 4000
            else true
        end)
$$;
create function change_is_open() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    locked boolean := false;
    wrong record;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        perform refuse_old_snapshot();
    end if;
    loop
        select a.plan, a.zone, p.zone_group as plans_group, z.zone_group as zones_group, g.generation, w.why into wrong
        from (select plan, zone, bool_and(is_well_formed(zone, owner, type, covered, value)) as well_formed from added group by plan, zone) a
        left join lateral (select p.zone_group, p.xmin = pg_current_xact_id()::xid as own from plan p where p.plan = a.plan offset 0) p on true
        left join lateral (
            select z.zone_group from zone z where z.zone = a.zone union all select z.zone_group from zone_group z where a.zone < 0 and z.zone_group = -a.zone offset 0
        ) z on true
        left join lateral (select g.generation from generation g where g.plan = a.plan offset 0) g on true
        cross join lateral (select case
            when p.zone_group is null then 'HF015'
            when not (p.own or locked) then 'not locked'
            when g.generation is not null then 'HF003'
            when z.zone_group is null then 'HF016'
            when p.zone_group <> z.zone_group then 'HF007'
            when not exists (select from change c where c.zone = a.zone and c.owner = '' and c.type = 65536 and c.covered = 0 and c.plan = a.plan offset 0)
                then 'HF011'
            when not a.well_formed then 'HF021'
        end as why offset 0) w
        where w.why is not null
        limit 1;
        if not found then
            return null;
        end if;
        exit when wrong.why <> 'not locked';
        perform from plan p where p.plan = any (array (select distinct a.plan from added a)) order by p.plan for key share;
        locked := true;
    end loop;

    raise exception using errcode = wrong.why, message = case wrong.why
        when 'HF015' then format('there is no plan %s', wrong.plan)
        when 'HF003' then format('plan %s is closed: it is generation %s of group %s', wrong.plan, wrong.generation, wrong.plans_group)
        when 'HF016' then format('there is no zone %s, in which plan %s would change names', wrong.zone, wrong.plan)
        when 'HF007' then format('plan %s is of group %s, but zone %s is of group %s', wrong.plan, wrong.plans_group, wrong.zone, wrong.zones_group)
        when 'HF011' then format('plan %s has changes in zone %s, but no touched row for it', wrong.plan, wrong.zone)
        when 'HF021' then (
            select format('plan %s, zone %s: a change of %L, type %s, covered %s, value of %s bytes', a.plan, a.zone, a.owner, a.type, a.covered, length(a.value))
            from added a where not is_well_formed(a.zone, a.owner, a.type, a.covered, a.value) limit 1)
    end;
end
$$;
create function plan_read_is_open() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    locked boolean := false;
    wrong record;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        perform refuse_old_snapshot();
    end if;
    loop
        select a.plan, a.zone, p.zone_group as plans_group, z.zone_group as zones_group, g.generation, w.why into wrong
        from (select plan, zone, bool_and(owner = lower(owner)) as well_formed from added group by plan, zone) a
        left join lateral (select p.zone_group, p.xmin = pg_current_xact_id()::xid as own from plan p where p.plan = a.plan offset 0) p on true
        left join lateral (
            select z.zone_group from zone z where z.zone = a.zone union all select z.zone_group from zone_group z where a.zone < 0 and z.zone_group = -a.zone offset 0
        ) z on true
        left join lateral (select g.generation from generation g where g.plan = a.plan offset 0) g on true
        cross join lateral (select case
            when p.zone_group is null then 'HF015'
            when not (p.own or locked) then 'not locked'
            when g.generation is not null then 'HF003'
            when z.zone_group is null then 'HF016'
            when p.zone_group <> z.zone_group then 'HF007'
            when not a.well_formed then 'HF021'
        end as why offset 0) w
        where w.why is not null
        limit 1;
        if not found then
            return null;
        end if;
        exit when wrong.why <> 'not locked';
        perform from plan p where p.plan = any (array (select distinct a.plan from added a)) order by p.plan for key share;
        locked := true;
    end loop;

    raise exception using errcode = wrong.why, message = case wrong.why
        when 'HF015' then format('there is no plan %s', wrong.plan)
        when 'HF003' then format('plan %s is closed: it is generation %s of group %s', wrong.plan, wrong.generation, wrong.plans_group)
        when 'HF016' then format('there is no zone %s, in which plan %s would read names', wrong.zone, wrong.plan)
        when 'HF007' then format('plan %s is of group %s, but zone %s is of group %s', wrong.plan, wrong.plans_group, wrong.zone, wrong.zones_group)
        when 'HF021' then format('plan %s, zone %s: a name in upper case', wrong.plan, wrong.zone)
    end;
end
$$;
create trigger change_is_open after insert on change referencing new table as added for each statement execute function change_is_open();
create trigger plan_read_is_open after insert on plan_read referencing new table as added for each statement execute function plan_read_is_open();

-- A zone can go while nothing refers to it. Plans do not lock the zones that they change (all of them would lock the same few rows); instead whoever deletes a zone,
-- which is rare, waits for the changes that are being written, holds back new ones, and then looks. Those held back find the zone gone, or still there.
create function zone_waits_for_changes() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
    perform refuse_old_snapshot();
    lock table change, plan_read in share row exclusive mode;
    return null;
end
$$;
create trigger zone_waits_for_changes before delete on zone for each statement execute function zone_waits_for_changes();
create function zone_is_unused() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    used bigint;
begin
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
create function first_conflict(of_plan bigint, of_group bigint, above bigint, upto bigint, out zone bigint, out owner text, out generation bigint)
language plpgsql stable
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
    cost_of_mine bigint;
    cost_of_theirs bigint;
begin
    select r.zone, r.owner, t.generation into zone, owner, generation
    from plan_read r
    cross join lateral (
        select g.generation from generation g
        where g.zone_group = of_group and g.generation > above and g.generation <= upto
          and exists (select from change c where c.plan = g.plan and c.zone = r.zone and c.type = 65536 offset 0)
        order by g.generation desc limit 1
    ) t
    where r.plan = of_plan and r.owner = ''
    limit 1;
    if found then
        return;
    end if;

    -- Counted in look-ups: a name of mine takes about four, one for each turn of the loop below and for the newest version.
    select 4 * (p.changes + (select count(*) from plan_read r where r.plan = of_plan)) into cost_of_mine from plan p where p.plan = of_plan;
    -- Every generation changes something, so there are at least so many of theirs; add them up only if that can pay.
    cost_of_theirs := upto - above;
    if cost_of_theirs < cost_of_mine then
        select sum(p.changes) into cost_of_theirs
        from generation g
        cross join lateral (select p.changes from plan p where p.plan = g.plan offset 0) p
        where g.zone_group = of_group and g.generation > above and g.generation <= upto;
    end if;

    if cost_of_theirs < cost_of_mine then
        -- First which zones they touched, so that a large plan costs nothing to one in another zone of its group.
        select t.zone, c.owner, g.generation into zone, owner, generation
        from generation g
        cross join lateral (select c.zone from change c where c.plan = g.plan and c.type = 65536 offset 0) t
        cross join lateral (select c.owner from change c where c.plan = g.plan and c.zone = t.zone and c.owner <> '' offset 0) c
        where g.zone_group = of_group and g.generation > above and g.generation <= upto
          and (exists (select from change m where m.plan = of_plan and m.zone = t.zone and m.type = 65536 offset 0)
               or exists (select from plan_read r where r.plan = of_plan and r.zone = t.zone offset 0))
          and (exists (select from change m where m.plan = of_plan and m.zone = t.zone and m.owner = c.owner offset 0)
               or exists (select from plan_read r where r.plan = of_plan and r.zone = t.zone and r.owner = c.owner offset 0))
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
                select c.type, c.covered from change c where c.zone = n.zone and c.owner = n.owner order by c.type desc, c.covered desc limit 1
            ) k
            union all
            select k.zone, k.owner, m.type, m.covered
            from kind k
            cross join lateral (
                select c.type, c.covered from change c
                where c.zone = k.zone and c.owner = k.owner and (c.type, c.covered) < (k.type, k.covered)
                order by c.type desc, c.covered desc limit 1
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

-- A zone that the plan touches and that would have no SOA (6) or no NS (2) at its apex, or nothing. The newest version of the key counts, this plan's included: by
-- the time this is asked, the plan is a generation's.
create function zones_without_soa_or_ns(of_plan bigint, of_generation bigint) returns table (zone bigint, type int) language sql stable as $$
    select c.zone, needed.type
    from change c
    cross join (values (6), (2)) as needed (type)
    where c.plan = of_plan and c.type = 65536 and c.zone > 0 and not coalesce((
        select v.value is not null from change v
        where v.zone = c.zone and v.owner = '@' and v.type = needed.type and v.covered = 0
          and exists (select from generation g where g.plan = v.plan and g.generation <= of_generation offset 0)
        order by v.plan desc limit 1), false)
$$;

-- The first of those zones that the plan does not end, or nothing. Only a plan that says so ends a zone, and then nothing at all stands in it, not a guard either:
-- looked at key by key, so it costs what the zone costs (a second for a million). A rollback ends a zone only when it had not begun, or had ended, by then.
create function zone_left_without_soa_or_ns(of_plan bigint, of_generation bigint, of_kind text, rolled_back_to bigint, out zone bigint, out type int)
language plpgsql stable as $$
#variable_conflict use_column
declare
    found_zone record;
begin
    for found_zone in select w.zone, min(w.type) as type from zones_without_soa_or_ns(of_plan, of_generation) w group by w.zone loop
        continue when (of_kind = 'end-zone' or (of_kind = 'rollback' and not exists (select from zone_at(found_zone.zone, rolled_back_to) s where s.value is not null and s.type <> 65536)))
            and not exists (select from zone_at(found_zone.zone, of_generation) s where s.value is not null and s.type <> 65536);
        zone := found_zone.zone;
        type := found_zone.type;
        return;
    end loop;
end
$$;

-- How many records a stored set has: ttl (4), length of the owner's spelling (1) and the spelling, then for each record its length (2) and data. What is not a set has none.
create function record_count(value bytea) returns int language plpgsql immutable as $$
declare
    total constant int := coalesce(length(value), 0);
    place int := 5;
    records int := 0;
begin
    if total < 5 then
        return 0;
    end if;
    place := place + get_byte(value, 4);
    while place + 2 <= total loop
        place := place + 2 + 256 * get_byte(value, place) + get_byte(value, place + 1);
        records := records + 1;
    end loop;
    return case place when total then records else 0 end;
end
$$;

-- Guards that do not hold once the plan is the generation. The newest versions count, the plan's own included, of the guard as of what is guarded: so a guard that
-- this plan takes away is none, and one that it brings must hold at once. Two ways to look, as in first_conflict; the count that chooses is the plan's own, so one
-- that lies makes this slow and never wrong:
--   from the plan's names   a small plan pays one look-up for each row;
--   from the zone's guards  for a plan with more rows than zones have guards, as a rule.
create function guards_broken_by_names(of_plan bigint, of_generation bigint) returns table (zone bigint, owner text, type int, minimum int, records int) language sql stable as $$
    select c.zone, c.owner, c.type, 256 * get_byte(guard.value, 0) + get_byte(guard.value, 1), record_count(stands.value)
    from (select c.zone, c.owner, case c.type when 65538 then c.covered else c.type end as type
          from change c where c.plan = of_plan and c.owner <> '' and (c.type <= 65535 or c.type = 65538) offset 0) c
    cross join lateral (
        select v.value from change v
        where v.zone = c.zone and v.owner = c.owner and v.type = 65538 and v.covered = c.type
          and exists (select from generation g where g.plan = v.plan and g.generation <= of_generation offset 0)
        order by v.plan desc limit 1
    ) guard
    left join lateral (
        select v.value from change v
        where v.zone = c.zone and v.owner = c.owner and v.type = c.type and v.covered = 0
          and exists (select from generation g where g.plan = v.plan and g.generation <= of_generation offset 0)
        order by v.plan desc limit 1
    ) stands on true
    where guard.value is not null and record_count(stands.value) < 256 * get_byte(guard.value, 0) + get_byte(guard.value, 1)
$$;
create function guards_broken_in_zones(of_plan bigint, of_generation bigint) returns table (zone bigint, owner text, type int, minimum int, records int)
language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
    with recursive guarded as (
        select t.zone, k.owner, k.covered
        from (select c.zone from change c where c.plan = of_plan and c.type = 65536 offset 0) t
        cross join lateral (select c.owner, c.covered from change c where c.zone = t.zone and c.type = 65538 order by c.owner, c.covered limit 1) k
        union all
        select k.zone, m.owner, m.covered
        from guarded k
        cross join lateral (
            select c.owner, c.covered from change c
            where c.zone = k.zone and c.type = 65538 and (c.owner, c.covered) > (k.owner, k.covered) order by c.owner, c.covered limit 1
        ) m
    )
    select k.zone, k.owner, k.covered, 256 * get_byte(guard.value, 0) + get_byte(guard.value, 1), record_count(stands.value)
    from guarded k
    cross join lateral (
        select v.value from change v
        where v.zone = k.zone and v.owner = k.owner and v.type = 65538 and v.covered = k.covered
          and exists (select from generation g where g.plan = v.plan and g.generation <= of_generation offset 0)
        order by v.plan desc limit 1
    ) guard
    left join lateral (
        select v.value from change v
        where v.zone = k.zone and v.owner = k.owner and v.type = k.covered and v.covered = 0
          and exists (select from generation g where g.plan = v.plan and g.generation <= of_generation offset 0)
        order by v.plan desc limit 1
    ) stands on true
    where guard.value is not null and record_count(stands.value) < 256 * get_byte(guard.value, 0) + get_byte(guard.value, 1)
      and exists (select from change m where m.plan = of_plan and m.zone = k.zone and m.owner = k.owner offset 0);
end
$$;

-- The door of the history: a generation is the next one, of a plan that is not stale, and leaves every zone that it touches with SOA and NS, and guarded names standing.
-- The plan is locked first and everything is read afterwards, so that a change that came in just before is judged as well (see change_is_open).
--
-- A raise may skip numbers, so its key does not hold others back. Told as moves:
--   1. a raise, decided on tip 60, inserts generation 1000000000;
--   2. a plan that was decided on tip 60 inserts 61: another key, so nobody waits, and each sees 60 as the tip;
--   3. both commit: 61 is not part of what the raise's id and digest say.
-- So a raise waits here for whoever inserts generations, holds back those who come, and looks again: its base must be the tip. And whoever was held back finds a
-- generation above its own (`above`): not the next one.
--
-- A number does not say what was decided on; `parent` does. Told as moves:
--   1. an API reads tip 41, whose id is A, decides what becomes 42, and is stopped;
--   2. the database goes back to an older state, and another plan becomes 41, with the id B;
--   3. the API goes on, and inserts 42: it is the next number, and no name of its footprint changed above its base.
-- Then a digest and an id that were reckoned on A would stand over B, and guards that A satisfied would vouch for what B left. It costs no look: the generation
-- below is read anyway. The tip is never retired, so what a generation follows is always there.
create function generation_is_next() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    locked boolean := false;
    held boolean;
    wrong record;
    message text;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        perform refuse_old_snapshot();
    end if;
    -- Held until the commit: whoever says that a history is behind waits for the admissions that did not hear it (0014). Written so that no query is run for it.
    held := pg_advisory_xact_lock_shared(7311) is null;
    loop
        select a.zone_group, a.generation, a.plan, a.parent, a.id, a.digest, a.answers, a.deletes_spent, p.zone_group as plans_group, p.base, p.kind, p.rolled_back_to, p.changes,
               coalesce(t.tip, 0) as tip, t.id as tip_id, coalesce(t.deletes_spent, 0) as tip_deletes_spent, w.why into wrong
        from added a
        left join lateral (
            select p.zone_group, p.base, p.kind, p.rolled_back_to, p.changes, p.xmin = pg_current_xact_id()::xid as own from plan p where p.plan = a.plan offset 0
        ) p on true
        left join lateral (
            select g.generation as tip, g.id, g.deletes_spent from generation g
            where g.zone_group = a.zone_group and g.generation < a.generation order by g.generation desc limit 1
        ) t on true
        left join lateral (
            select g.plan from generation g where g.zone_group = a.zone_group and g.generation > a.generation order by g.generation limit 1
        ) above on true
        cross join lateral (select case
            when p.zone_group is null then 'HF015'
            when not (p.own or locked) or (p.kind = 'raise' and not locked) then 'not locked'
            when length(a.id) <> 32 or length(a.digest) <> 32 or length(a.answers) <> 32 then 'HF021'
            when p.zone_group <> a.zone_group then 'HF014'
            when exists (select from stop s where s.zone_group = a.zone_group and s.kind = 'history-behind' offset 0)
                then case when p.kind = 'raise' then 'raised' else 'HF023' end
            when t.tip is null and group_was_reported(a.zone_group) then 'HF023'
            when p.kind <> 'raise' and a.generation <> coalesce(t.tip, 0) + 1 then 'HF006'
            when p.kind = 'raise' and (t.tip is null or a.generation % 1000000000 <> 0) then 'HF006'
            when above.plan is not null and not exists (select from added b where b.plan = above.plan) then 'HF006'
            when p.base > coalesce(t.tip, 0) then 'HF005'
            when p.kind = 'raise' and p.base <> t.tip then 'HF004'
            -- Read by the query that looks for conflicts, so in its snapshot: whoever sees what was retired sees the floor that allowed it (0016).
            when (p.base < t.tip or p.kind = 'rollback') and least(p.base, p.rolled_back_to) < (select z.floor from zone_group z where z.zone_group = a.zone_group and z.floor > 1)
                then 'HF032'
            when a.deletes_spent < coalesce(t.deletes_spent, 0) then 'HF031'
            -- Nearly always nothing has a greater number: so the numbers are looked up, and the base is compared afterwards. The other way round is the whole history.
            when exists (select from (select g.generation from generation g where g.zone_group = a.zone_group and g.plan > a.plan offset 0) g
                         where g.generation <= p.base) then 'HF018'
            when p.kind <> 'raise' and (select c.plan from change c where c.plan = a.plan and c.owner <> '' order by c.plan, c.zone, c.owner limit 1) is null then 'HF012'
            when p.base < t.tip and (select c.generation from first_conflict(a.plan, a.zone_group, p.base, t.tip) c) is not null then 'HF004'
            when a.parent is distinct from t.id then 'HF038'
            when exists (select from zones_without_soa_or_ns(a.plan, a.generation))
                and (select z.zone from zone_left_without_soa_or_ns(a.plan, a.generation, p.kind, p.rolled_back_to) z) is not null then 'HF008'
            when case when p.changes <= 1000 then exists (select from guards_broken_by_names(a.plan, a.generation))
                      else exists (select from guards_broken_in_zones(a.plan, a.generation)) end then 'HF030'
        end as why offset 0) w
        where w.why is not null
        order by a.zone_group, a.generation
        limit 1;
        if not found then
            return null;
        end if;
        if wrong.why = 'not locked' then
            perform from plan p where p.plan = any (array (select a.plan from added a)) order by p.plan for update;
            if exists (select from added a join plan p on p.plan = a.plan where p.kind = 'raise') then
                perform pg_advisory_xact_lock(7311);
            end if;
            locked := true;
        elsif wrong.why = 'raised' then
            -- What the stop waited for; refused if the new epoch is not above all that servers report (stop_is_over).
            delete from stop s where s.zone_group = wrong.zone_group and s.kind = 'history-behind';
        else
            exit;
        end if;
    end loop;

    message := case wrong.why
        when 'HF015' then format('there is no plan %s', wrong.plan)
        when 'HF021' then format('generation %s with an id of %s, a digest of %s and answers of %s bytes', wrong.generation, length(wrong.id), length(wrong.digest), length(wrong.answers))
        when 'HF014' then format('plan %s is of group %s, but generation %s is of group %s', wrong.plan, wrong.plans_group, wrong.generation, wrong.zone_group)
        when 'HF023' then format('group %s takes no generation %s: servers serve what this history does not know; raise the epoch', wrong.zone_group, wrong.generation)
        when 'HF006' then format('generation %s of group %s is not the next one%s: the tip is %s', wrong.generation, wrong.zone_group,
                                 case wrong.kind when 'raise' then ' with which an epoch begins' else '' end,
                                 greatest(wrong.tip, (select max(g.generation) from generation g where g.zone_group = wrong.zone_group and g.generation <> wrong.generation)))
        when 'HF005' then format('the base %s of plan %s is above the tip %s of group %s', wrong.base, wrong.plan, wrong.tip, wrong.zone_group)
        when 'HF038' then format('generation %s of group %s was decided on the id %s, but would follow generation %s, whose id is %s', wrong.generation, wrong.zone_group,
                                 coalesce(encode(wrong.parent, 'hex'), 'of nothing'), wrong.tip, coalesce(encode(wrong.tip_id, 'hex'), 'that of nothing'))
        when 'HF032' then format('plan %s was made on generation %s%s, but the floor of group %s is %s: what changed since is forgotten', wrong.plan, wrong.base,
                                 case wrong.kind when 'rollback' then format(' and goes back to %s', wrong.rolled_back_to) end, wrong.zone_group,
                                 (select z.floor from zone_group z where z.zone_group = wrong.zone_group))
        when 'HF031' then format('group %s has spent %s deletes, and generation %s says %s', wrong.zone_group, wrong.tip_deletes_spent, wrong.generation, wrong.deletes_spent)
        when 'HF018' then (
            select format('plan %s has base %s, but generation %s has plan %s already: the numbers would not rise', wrong.plan, wrong.base, g.generation, g.plan)
            from generation g where g.zone_group = wrong.zone_group and g.plan > wrong.plan and g.generation <= wrong.base order by g.plan limit 1)
        when 'HF012' then format('plan %s changes nothing', wrong.plan)
        when 'HF004' then case wrong.kind when 'raise' then format('plan %s raises the epoch of group %s on %s, but the tip is %s', wrong.plan, wrong.zone_group, wrong.base, wrong.tip) else (
            select format('plan %s is stale: its base is %s, and generation %s changed %s of zone %s',
                          wrong.plan, wrong.base, c.generation, case c.owner when '' then 'something' else c.owner end, c.zone)
            from first_conflict(wrong.plan, wrong.zone_group, wrong.base, wrong.tip) c) end
        when 'HF008' then (
            select format('plan %s would leave zone %s without %s at its apex', wrong.plan, z.zone, case z.type when 6 then 'SOA' else 'NS' end)
            from zone_left_without_soa_or_ns(wrong.plan, wrong.generation, wrong.kind, wrong.rolled_back_to) z)
        when 'HF030' then (
            select format('plan %s would leave %s records of type %s at %s of zone %s, which is guarded: at least %s', wrong.plan, b.records, b.type, b.owner, b.zone, b.minimum)
            from guards_broken_by_names(wrong.plan, wrong.generation) b limit 1)
    end;
    raise exception using errcode = wrong.why, message = coalesce(message, 'refused');
end
$$;
create trigger generation_is_next after insert on generation referencing new table as added for each statement execute function generation_is_next();

revoke execute on function refuse_to_change, refuse_old_snapshot, plan_is_numbered, plan_is_given_up, is_well_formed, change_is_open, plan_read_is_open, zone_is_unused,
    zone_waits_for_changes, first_conflict, zones_without_soa_or_ns, zone_left_without_soa_or_ns, record_count, guards_broken_by_names, guards_broken_in_zones, generation_is_next
    from public;

grant select on zone_group, zone, plan, plan_read, change, generation to holdfast_admit, holdfast_read;
grant insert (name) on zone_group to holdfast_admit;
grant insert (name, zone_group) on zone to holdfast_admit;
-- Not the number and not the hour: those are the database's.
grant insert (zone_group, base, token, reason, acknowledged, digest_delta, kind, through_freeze, rolled_back_to, changes, added, replaced, deleted, absent) on plan to holdfast_admit;
grant insert on plan_read, change to holdfast_admit;
grant insert (zone_group, generation, plan, parent, id, digest, answers, deletes_spent) on generation to holdfast_admit;
grant select on zone_group, generation to holdfast_enact;
