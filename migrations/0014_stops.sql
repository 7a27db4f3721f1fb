-- Stops: while one covers a group and a ring, no head moves there. Freezing is inserting one, thawing is deleting it; the doors freeze and thaw commit by themselves.
--
-- Two advisory locks make "frozen" a fact and no hope:
--
--   7310  moves take it shared, and look at the stops under it; whoever inserts or deletes a stop takes it exclusively
--   7311  admissions take it shared, and look whether the history is behind; whoever says that it is takes it exclusively
--
--   1. an enactor has inserted a move, and found no stop; it holds 7310 shared until it commits;
--   2. a freeze waits for 7310, so it is not acknowledged yet;
--   3. the move commits, the freeze goes on and commits: whatever moved did so before the freeze answered.
-- Or the other way round:
--   1. a freeze holds 7310, not committed yet;
--   2. a move waits for it, and looks afterwards, with a snapshot that shows the stop: refused.
-- They are two locks so that an admission that is held up never holds up a freeze.

create table stop (
    stop bigint generated always as identity primary key,
    -- freeze: a person's. auditor: the auditor found that servers answer something else than their generation. history-behind: a server serves what this history does
    -- not know, so the database went back in time; it stops admissions as well, and only raising the epoch ends it.
    kind text not null check (kind in ('freeze', 'history-behind', 'auditor')),
    -- What it covers; null is every group, every ring.
    zone_group bigint references zone_group,
    ring text collate "C" references ring,
    reason text not null check (length(reason) between 1 and 1000),
    token bigint references token,
    by text not null check (length(by) between 1 and 255),
    at timestamptz not null default clock_timestamp(),
    -- An end that the operator gave. By the database's clock; the only clock that anything safe rests on, because a person asked for it.
    until timestamptz,
    check (kind <> 'history-behind' or (zone_group is not null and ring is null and until is null))
);
-- The one look-up of every admission; and a group's history is behind once.
create unique index stop_behind on stop (zone_group) where kind = 'history-behind';

-- The stops that are in force now. One covers a group and a ring when each of its two columns is null or equal.
create view stop_in_force (stop, kind, zone_group, ring, reason, by, at, until) as
select stop, kind, zone_group, ring, reason, by, at, until from stop where until is null or until > clock_timestamp();

create function stop_waits_for_moves() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform refuse_old_snapshot();
    perform pg_advisory_xact_lock(7310);
    return null;
end
$$;
create trigger stop_waits_for_moves before insert or delete on stop for each statement execute function stop_waits_for_moves();
create trigger stop_never_changes before update or truncate on stop for each statement execute function refuse_to_change();

create function stop_is_dated() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    new.at := clock_timestamp();
    return new;
end
$$;
create trigger stop_is_dated before insert on stop for each row execute function stop_is_dated();

-- The lock comes before the rows, so that a move that waits behind a freeze holds nothing that another move could want.
create function move_waits_for_stops() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform refuse_old_snapshot();
    perform pg_advisory_xact_lock_shared(7310);
    return null;
end
$$;
create trigger move_waits_for_stops before insert on head_move for each statement execute function move_waits_for_stops();

-- Runs under the lock that move_waits_for_stops took, with a snapshot that is younger.
create function move_is_not_stopped() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    -- Nearly always nothing is stopped at all.
    if not exists (select from stop) then
        return null;
    end if;
    select a.zone_group, a.ring, a.generation, s.kind, s.by as who, s.reason into wrong
    from added a
    join generation g on g.zone_group = a.zone_group and g.generation = a.generation
    join plan p on p.plan = g.plan
    join stop_in_force s on (s.zone_group is null or s.zone_group = a.zone_group) and (s.ring is null or s.ring = a.ring)
    where not (p.through_freeze and s.kind in ('freeze', 'auditor'))
    limit 1;
    if found then
        raise exception using errcode = 'HF022',
            message = format('generation %s of group %s is not enacted in ring %s: %s by %s: %s', wrong.generation, wrong.zone_group, wrong.ring, wrong.kind, wrong.who, wrong.reason);
    end if;
    return null;
end
$$;
create trigger move_is_not_stopped after insert on head_move referencing new table as added for each statement execute function move_is_not_stopped();

-- Freezes a group (null: every group) in a ring (null: every ring), until it is thawed, or until p_until. When it has answered, no move is in flight.
create procedure freeze(p_group bigint, p_ring text, p_kind text, p_reason text, p_token bigint, p_by text, p_until timestamptz, inout stop bigint)
language plpgsql as $$
begin
    if p_until <= clock_timestamp() then
        raise exception using errcode = 'HF021', message = format('a freeze until %s would be over already', p_until);
    end if;
    -- Longer than any program may hold a lock: in an incident a freeze should wait, and not fail.
    set local lock_timeout = '10s';
    insert into stop (kind, zone_group, ring, reason, token, by, until) values (p_kind, p_group, p_ring, p_reason, p_token, p_by, p_until) returning stop.stop into stop;
    insert into audit (token, by, act, detail, zone_group)
    values (p_token, p_by, 'freeze', jsonb_build_object('stop', stop, 'kind', p_kind, 'ring', p_ring, 'reason', p_reason, 'until', p_until), p_group);
    commit;
end
$$;

-- Ends the freezes of exactly this group and ring (null is "every", not "any"); `thawed` says how many.
create procedure thaw(p_group bigint, p_ring text, p_reason text, p_token bigint, p_by text, inout thawed int) language plpgsql as $$
begin
    set local lock_timeout = '10s';
    delete from stop s where s.zone_group is not distinct from p_group and s.ring is not distinct from p_ring and s.kind in ('freeze', 'auditor');
    get diagnostics thawed = row_count;
    insert into audit (token, by, act, detail, zone_group)
    values (p_token, p_by, 'thaw', jsonb_build_object('thawed', thawed, 'ring', p_ring, 'reason', p_reason), p_group);
    commit;
end
$$;

revoke execute on function stop_waits_for_moves, stop_is_dated, move_waits_for_stops, move_is_not_stopped from public;
revoke execute on procedure freeze, thaw from public;

grant select on stop, stop_in_force to holdfast_admit, holdfast_enact, holdfast_read;
grant insert (kind, zone_group, ring, reason, token, by, until), delete on stop to holdfast_admit;
grant execute on procedure freeze, thaw to holdfast_admit;
