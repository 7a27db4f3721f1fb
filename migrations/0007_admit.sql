-- The door that commits by itself: CALL admit(…) writes a plan's rows first, its generation last, and ends in COMMIT or ROLLBACK.
--
-- Why a procedure. With plain statements and every time-out set:
--   1. client A inserts generation 42 and is stopped between Execute and Sync, so its transaction stays open with nothing to time out;
--   2. client B inserts generation 42 and waits on A's row.
-- A CALL needs its client no more once it has begun: A's ends by itself, and B is told within a millisecond.
-- A procedure that commits cannot be SECURITY DEFINER, be pinned to a search_path, catch exceptions, or be called inside a transaction: so its caller holds plain
-- rights, and all refusing is done by the tables' triggers. Whoever writes the same rows by hand meets the same refusals.
--
-- p_plan null: the plan comes along in this call. Not null: it was staged before, with INSERTs into plan, change and plan_read; rows in the arrays are added to it.
-- Touched rows are changes like others and come along in the arrays. A value that is null means gone. p_key null: no idempotency key.
-- outcome: admitted (committed); lost-race (somebody took the number: nothing is written, read again and decide again); key-known (this token's key has its
-- result already: nothing is written, look it up). Refusals are exceptions with the SQLSTATEs of 0002_history.sql.
create procedure admit(
    p_group bigint, p_plan bigint,
    p_base bigint, p_token bigint, p_reason text, p_acknowledged jsonb, p_digest_delta bytea,
    p_counts int[],                                                                         -- changes, added, replaced, deleted, absent
    p_zones bigint[], p_owners text[], p_types int[], p_covered int[], p_values bytea[],    -- the changes
    p_read_zones bigint[], p_read_owners text[],                                            -- the reads
    p_key text, p_body_hash bytea,
    p_generation bigint, p_id bytea, p_digest bytea,
    inout outcome text, inout plan_number bigint
) language plpgsql as $$
begin
    -- unnest fills up a shorter array with nulls, and a null value means gone: one value too few would be a deletion.
    if array [coalesce(cardinality(p_owners), 0), coalesce(cardinality(p_types), 0), coalesce(cardinality(p_covered), 0), coalesce(cardinality(p_values), 0)]
        <> array_fill(coalesce(cardinality(p_zones), 0), array [4])
       or coalesce(cardinality(p_read_zones), 0) <> coalesce(cardinality(p_read_owners), 0)
    then
        raise exception using errcode = 'HF013',
            message = format('changes: %s zones, %s owners, %s types, %s covered types, %s values; reads: %s zones, %s owners', cardinality(p_zones), cardinality(p_owners),
                             cardinality(p_types), cardinality(p_covered), cardinality(p_values), cardinality(p_read_zones), cardinality(p_read_owners));
    end if;

    if p_plan is null then
        insert into plan (zone_group, base, token, reason, acknowledged, digest_delta, changes, added, replaced, deleted, absent)
        values (p_group, p_base, p_token, p_reason, coalesce(p_acknowledged, '[]'), p_digest_delta, p_counts[1], p_counts[2], p_counts[3], p_counts[4], p_counts[5])
        returning plan into plan_number;
    else
        plan_number := p_plan;
        -- A retry whose first try went through: told apart from a lost race, which would be tried again for ever.
        select format('plan %s is generation %s of group %s already', g.plan, g.generation, g.zone_group) into outcome from generation g where g.plan = p_plan;
        if found then
            raise exception using errcode = 'HF003', message = outcome;
        end if;
    end if;
    if cardinality(p_zones) > 0 then
        insert into change (zone, owner, type, covered, plan, value)
        select c.zone, c.owner, c.type, c.covered, plan_number, c.value
        from unnest(p_zones, p_owners, p_types, p_covered, p_values) as c (zone, owner, type, covered, value);
    end if;
    if cardinality(p_read_zones) > 0 then
        insert into plan_read (plan, zone, owner)
        select distinct plan_number, r.zone, r.owner from unnest(p_read_zones, p_read_owners) as r (zone, owner);
    end if;

    if p_key is not null then
        insert into idempotency_key (token, key, body_hash, plan) values (p_token, p_key, p_body_hash, plan_number) on conflict (token, key) do nothing;
        if not found then
            rollback;
            outcome := 'key-known';
            plan_number := p_plan;
            return;
        end if;
    end if;

    insert into generation (zone_group, generation, plan, id, digest) values (p_group, p_generation, plan_number, p_id, p_digest)
    on conflict (zone_group, generation) do nothing;
    if not found then
        rollback;
        outcome := 'lost-race';
        plan_number := p_plan;
        return;
    end if;
    commit;
    outcome := 'admitted';
end
$$;

revoke execute on procedure admit from public;
grant execute on procedure admit to holdfast_admit;
