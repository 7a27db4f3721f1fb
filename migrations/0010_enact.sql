-- The enactors' door: CALL enact(…) writes moves and commits by itself, like admit, and for the same reason (0007_admit.sql):
--   1. enactor A inserts a move to generation 42 and is stopped between Execute and Sync;
--   2. enactor B inserts the same move, and would wait on A's row for as long as A is stopped.
-- `moved` are the groups whose row is the caller's; the row of any other was there, written by another enactor. p_expected: for each group, by its place, the names of
-- the servers that are to prove the generation, or null; null or [] as a whole where nothing is to be proved.

create procedure enact(p_ring text, p_groups bigint[], p_generations bigint[], p_expected jsonb, p_by text, inout moved bigint[]) language plpgsql as $$
begin
    if coalesce(cardinality(p_groups), 0) <> coalesce(cardinality(p_generations), 0)
       or jsonb_array_length(coalesce(nullif(p_expected, 'null'), '[]')) not in (0, cardinality(p_groups))
    then
        raise exception using errcode = 'HF013',
            message = format('%s groups, but %s generations, and servers for %s', cardinality(p_groups), cardinality(p_generations), jsonb_array_length(p_expected));
    end if;
    -- In order of groups: two enactors with the same moves wait for each other, and never both.
    with written as (
        insert into head_move (zone_group, ring, generation, by, expected)
        select target.zone_group, p_ring, target.generation, p_by,
            case jsonb_typeof(p_expected -> (target.place - 1)::int) when 'array' then array (select jsonb_array_elements_text(p_expected -> (target.place - 1)::int)) end
        from unnest(p_groups, p_generations) with ordinality as target (zone_group, generation, place)
        order by target.zone_group, target.generation
        on conflict do nothing
        returning zone_group
    )
    select coalesce(array_agg(w.zone_group), '{}') into moved from written w;
    commit;
end
$$;

revoke execute on procedure enact from public;
grant execute on procedure enact to holdfast_enact;
