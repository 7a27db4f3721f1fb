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

-- What a server's report does on its way (report_is_known): waits a second for a lock, and goes on without it. Its stop may then come a moment after a move or an
-- admission that somebody holds open; a report that is not written would leave the server for dead, and the group without a stop.
create function lock_within_a_second(lock bigint) returns void language plpgsql set lock_timeout = '1s' as $$
begin
    perform pg_advisory_xact_lock(lock);
exception when lock_not_available then
    raise warning 'advisory lock % was not free within a second: going on without it', lock;
end
$$;

create function stop_waits_for_moves() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform refuse_old_snapshot();
    if tg_op = 'INSERT' and pg_trigger_depth() > 1 then
        perform lock_within_a_second(7310);
    else
        perform pg_advisory_xact_lock(7310);
    end if;
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

-- What a server says it serves, and this history does not know: a generation above the tip, or a known number with another id. The database went back in time, and
-- others would grow a fork on what is left. Where an epoch was raised since, the generation that did it is the way on for that server (DESIGN §6): then it is known.
create function history_knows(of_group bigint, of_generation bigint, of_id bytea) returns boolean language plpgsql stable
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    epoch constant bigint := 1000000000;
    tip bigint;
begin
    select g.generation into tip from generation g where g.zone_group = of_group order by g.generation desc limit 1;
    if tip is null or of_generation > tip then
        return coalesce(tip / epoch > of_generation / epoch, false);
    end if;
    return tip / epoch > of_generation / epoch
        or not exists (select from generation g where g.zone_group = of_group and g.generation = of_generation and g.id <> of_id);
end
$$;
create index report_of_group on report (zone_group);
create view report_unknown (zone_group, server, instance, generation, id) as
select r.zone_group, r.server, r.instance, r.generation, r.id
from report r
join server s on s.server = r.server and s.instance = r.instance
where s.forgotten is null and not history_knows(r.zone_group, r.generation, r.id);

-- The report itself stops its group, once: no move, no admission, until the epoch is raised. Told as moves:
--   1. the database is restored to generation 50; a server holds 60;
--   2. a plan is admitted as another generation 51, and so on up to 60: the server refuses them all;
--   3. the next is 61, of the fork: above what the server holds.
-- The report of step 1 comes within a second of the restore, and nothing is admitted after it. Locks in the order 7311, 7310, as everywhere.
create function report_is_known() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
    if not exists (select from added a where not history_knows(a.zone_group, a.generation, a.id)) then
        return null;
    end if;
    perform lock_within_a_second(7311);
    -- A group that the history does not know either has nothing to stop; its first generation is refused (group_was_reported).
    insert into stop (kind, zone_group, reason, by)
    select distinct on (a.zone_group) 'history-behind', a.zone_group,
        format('server %s serves generation %s with id %s, which this history does not know', left(a.server, 255), a.generation, encode(a.id, 'hex')), left(a.server, 255)
    from added a
    join zone_group z on z.zone_group = a.zone_group
    where not history_knows(a.zone_group, a.generation, a.id)
    order by a.zone_group, a.generation desc
    on conflict (zone_group) where kind = 'history-behind' do nothing;
    return null;
end
$$;
create trigger report_is_known after insert on report referencing new table as added for each statement execute function report_is_known();
create trigger report_is_still_known after update on report referencing new table as added for each statement execute function report_is_known();

-- The other half of the lock on admissions: when "the history is behind" has been said, no admission is in flight that did not hear it.
create function stop_waits_for_admissions() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (select from added where kind = 'history-behind') then
        if pg_trigger_depth() > 1 then
            perform lock_within_a_second(7311);
        else
            perform pg_advisory_xact_lock(7311);
        end if;
    end if;
    return null;
end
$$;
create trigger stop_waits_for_admissions after insert on stop referencing new table as added for each statement execute function stop_waits_for_admissions();

-- For generation_is_next, asked for a group's first generation: does a server serve the group already? A restored database gives the number of a lost group to another
-- one, and servers that still serve the lost one would take it for a fork of theirs.
create function group_was_reported(of_group bigint) returns boolean language sql stable set search_path = public, pg_temp as $$
    select exists (select from report r join server s on s.server = r.server and s.instance = r.instance where r.zone_group = of_group and s.forgotten is null)
$$;

-- "Behind" ends when no server reports anything unknown any more: after a raise (generation_is_next deletes the stop), or when the servers were forgotten. Both
-- this and a report hold 7310, so neither overlooks the other.
create function stop_is_over() returns trigger language plpgsql security definer
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    wrong record;
begin
    select u.zone_group, u.server, u.generation into wrong
    from removed r join report_unknown u on u.zone_group = r.zone_group
    where r.kind = 'history-behind'
    order by u.zone_group, u.generation desc
    limit 1;
    if found then
        raise exception using errcode = 'HF024',
            message = format('group %s stays stopped: server %s serves generation %s, which this history does not know; raise the epoch above it', wrong.zone_group, wrong.server, wrong.generation);
    end if;
    return null;
end
$$;
create trigger stop_is_over after delete on stop referencing old table as removed for each statement execute function stop_is_over();

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

-- Ends the stops of exactly this group and ring (null is "every", not "any"); `thawed` says how many. A history that is still behind stays so.
create procedure thaw(p_group bigint, p_ring text, p_reason text, p_token bigint, p_by text, inout thawed int) language plpgsql as $$
begin
    set local lock_timeout = '10s';
    delete from stop s where s.zone_group is not distinct from p_group and s.ring is not distinct from p_ring
        and (s.kind <> 'history-behind' or not exists (select from report_unknown u where u.zone_group = s.zone_group));
    get diagnostics thawed = row_count;
    insert into audit (token, by, act, detail, zone_group)
    values (p_token, p_by, 'thaw', jsonb_build_object('thawed', thawed, 'ring', p_ring, 'reason', p_reason), p_group);
    commit;
end
$$;

revoke execute on function lock_within_a_second, stop_waits_for_moves, stop_is_dated, move_waits_for_stops, move_is_not_stopped, history_knows, report_is_known,
    stop_waits_for_admissions, group_was_reported, stop_is_over from public;
revoke execute on procedure freeze, thaw from public;

grant select on stop, stop_in_force, report_unknown to holdfast_admit, holdfast_enact, holdfast_read;
grant insert (kind, zone_group, ring, reason, token, by, until), delete on stop to holdfast_admit;
grant execute on function history_knows to holdfast_admit, holdfast_enact, holdfast_read;
grant execute on procedure freeze, thaw to holdfast_admit;
