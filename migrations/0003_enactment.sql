-- Enactment: a ring's head is the greatest move that it has, so a late move is a row without effect and nothing is ever moved backwards.

create table ring (
    ring text collate "C" primary key check (ring ~ '^[a-z0-9_][a-z0-9._-]{0,254}$'),
    -- The ring whose servers prove a generation before any other ring takes it.
    first boolean not null default false,
    -- For how long the servers of the first ring must have served a generation without a fault.
    soak interval not null default '0' check (soak >= '0'),
    -- How old a generation's verdict must be before this ring takes it.
    delay interval not null default '0' check (delay >= '0'),
    -- As few servers as these prove nothing.
    servers_min int not null default 1 check (servers_min >= 1),
    -- A ring that ended takes no more moves; those it has stay.
    ended timestamptz
);
insert into ring (ring, first) values ('fleet', true);

create table head_move (
    zone_group bigint not null,
    ring text collate "C" not null references ring,
    generation bigint not null,
    at timestamptz not null default now(),
    -- The enactor's name, for people.
    by text not null check (length(by) between 1 and 255),
    -- The servers that are to prove the generation; null where nothing is to be proved.
    expected text[],
    -- As in 0002_history.sql.
    xact xid8 not null default pg_current_xact_id(),
    primary key (zone_group, ring, generation),
    -- Never dangling: what a head points at cannot go.
    foreign key (zone_group, generation) references generation
);

-- What was found about a generation. A failed one outweighs a passed one, for ever.
create table verdict (
    zone_group bigint not null,
    generation bigint not null,
    passed boolean not null,
    why text not null check (length(why) between 1 and 1000),
    -- An enactor's name, or a person's.
    by text not null check (length(by) between 1 and 255),
    at timestamptz not null default clock_timestamp(),
    -- What the generation answers, taken from it (verdict_is_dated): generations that answer the same need to be proved once.
    answers bytea,
    -- As in 0002_history.sql.
    xact xid8 not null default pg_current_xact_id(),
    primary key (zone_group, generation, passed),
    foreign key (zone_group, generation) references generation
);
create index verdict_answers on verdict (answers, zone_group) where passed;

-- Enactors say that they are alive. Updated in place; nothing that is safe rests on it.
create table enactor (
    enactor text collate "C" primary key check (length(enactor) between 1 and 255),
    instance uuid not null,
    seen timestamptz not null default now(),
    -- Since when it has been seen without a gap as long as makes a server lost. While nobody could write here, no server could either, and that is no fault of theirs.
    watching_since timestamptz not null default clock_timestamp(),
    -- What the heads that it would move wait for, for people.
    waits_for text,
    login name not null default current_user
) with (fillfactor = 50);

-- The group is locked first, and its floor read afterwards, so that a floor that is just being raised is waited for. Told as moves:
--   1. retirement raises the floor to 40, not committed yet; no head or pin was below;
--   2. a ring's first move, to 30, waits here for the group;
--   3. retirement commits, and takes what 30 needs; the move looks again: refused.
-- Or the other way round: the move holds the group, retirement waits, and then sees the move (floor_only_rises, 0016).
create function move_is_above_the_floor() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    perform refuse_old_snapshot();
    perform from zone_group z where z.zone_group = any (array (select a.zone_group from added a)) order by z.zone_group for share;
    select a.zone_group, a.generation, z.floor into wrong from added a join zone_group z on z.zone_group = a.zone_group where a.generation < z.floor limit 1;
    if found then
        raise exception using errcode = 'HF009',
            message = format('generation %s of group %s cannot be enacted: it is below the floor %s', wrong.generation, wrong.zone_group, wrong.floor);
    end if;
    return null;
end
$$;
create trigger move_is_above_the_floor after insert on head_move referencing new table as added for each statement execute function move_is_above_the_floor();

-- Only a move below a greater one can go; or of a ring that ended, whose head nobody follows. What is judged is what stays when the statement is done, so one DELETE of everything finds nothing greater:
--   1. clean-up looks which moves are old, and is stopped;
--   2. the head it saw is superseded, and superseded again;
--   3. clean-up deletes by its old list: whatever is in force is the greatest, so it is not below a greater one: refused.
create function move_is_superseded() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    perform refuse_old_snapshot();
    select r.zone_group, r.ring, r.generation into wrong
    from (select zone_group, ring, max(generation) as generation from removed group by zone_group, ring) r
    where not exists (
        select from head_move m where m.zone_group = r.zone_group and m.ring = r.ring and m.generation > r.generation offset 0)
      and not exists (select from ring e where e.ring = r.ring and e.ended is not null)
    limit 1;
    if found then
        raise exception using errcode = 'HF010',
            message = format('generation %s is the head of group %s in ring %s: no greater move would stay', wrong.generation, wrong.zone_group, wrong.ring);
    end if;
    return null;
end
$$;
create trigger move_is_superseded after delete on head_move referencing old table as removed for each statement execute function move_is_superseded();

create trigger head_move_never_changes before update or truncate on head_move for each statement execute function refuse_to_change();
create trigger verdict_never_changes before update or truncate on verdict for each statement execute function refuse_to_change();
create trigger enactor_never_truncated before truncate on enactor for each statement execute function refuse_to_change();

revoke execute on function move_is_above_the_floor, move_is_superseded from public;

grant select on ring, head_move, verdict, enactor to holdfast_admit, holdfast_enact, holdfast_read;
grant insert (zone_group, ring, generation, by, expected) on head_move to holdfast_enact;
grant insert (enactor, instance, seen, watching_since, waits_for), update (instance, seen, watching_since, waits_for) on enactor to holdfast_enact;
