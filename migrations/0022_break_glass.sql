-- Break-glass: the one act for which people have no other door. Freezing, thawing and failing are the API's own procedures, and the owner may call them as well.

-- Moves a head to a generation that a person chose. The triggers judge it like any other move, and the audit row is in the same transaction, so that neither is there
-- without the other. `moved` is false where the move was there already. It commits by itself, like every door (0007_admit.sql): a terminal that is stopped, or a
-- connection that dies in the middle, holds nobody up.
create procedure enact_by_hand(p_group bigint, p_ring text, p_generation bigint, p_expected text[], p_reason text, p_by text, inout moved boolean) language plpgsql as $$
begin
    set local lock_timeout = '10s';
    insert into head_move (zone_group, ring, generation, by, expected) values (p_group, p_ring, p_generation, p_by, p_expected) on conflict do nothing;
    moved := found;
    insert into audit (by, act, detail, zone_group)
    values (p_by, 'enact', jsonb_build_object('ring', p_ring, 'generation', p_generation, 'moved', moved, 'reason', p_reason), p_group);
    commit;
end
$$;

-- The owner's alone: whoever holds the owner's login may do more than this anyway.
revoke execute on procedure enact_by_hand from public;
