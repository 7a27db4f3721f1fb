-- Events: what happened since somebody looked last, told by what two looks saw, and not by numbers or hours.
--
-- Numbers are drawn and hours are read before a transaction commits, so "greater than the last seen" misses what commits late:
--   1. transaction A draws number 7, and is slow;
--   2. transaction B draws 8, and commits; somebody looks, sees 8, and notes "up to 8";
--   3. A commits: 7 is below 8, and is never looked at.
-- A look's snapshot says exactly which transactions it sees; each row that people are told about says which transaction wrote it (`xact`). What a later look sees and an
-- earlier one does not came in between, whatever its number: A, at step 3. And nothing waits for a transaction that somebody left open.

-- Few of these are written, and they come in any order, so an index finds the new ones.
create index verdict_xact on verdict (xact, zone_group, generation, passed);
create index audit_xact on audit (xact, audit);

-- The newest generation of a group that a snapshot saw, or 0. A generation is written when its parent can be seen, so what a snapshot saw of a group are the oldest
-- ones: by halves. That needs no index of its own, which every admission would pay for.
create function newest_generation_seen(of_group bigint, seen pg_snapshot) returns bigint
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
    -- Always: all that is there at or below `low` was seen, and nothing above `high`.
    low bigint := 0;
    high bigint;
    middle record;
begin
    select g.generation into high from generation g where g.zone_group = of_group order by g.generation desc limit 1;
    while low < high loop
        -- Numbers that an epoch skipped, and those of generations that were forgotten, are passed over.
        select g.generation, g.xact into middle from generation g
        where g.zone_group = of_group and g.generation >= low + (high - low + 1) / 2 order by g.generation limit 1;
        if pg_visible_in_snapshot(middle.xact, seen) then
            low := middle.generation;
        else
            high := low + (high - low + 1) / 2 - 1;
        end if;
    end loop;
    return low;
end
$$;

revoke execute on function newest_generation_seen from public;
grant execute on function newest_generation_seen to holdfast_admit, holdfast_read;
