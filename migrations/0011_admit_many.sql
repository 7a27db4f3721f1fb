-- The same door for many plans at once: CALL admit_many(…) writes the rows of small plans of any groups, then their generations, and ends in COMMIT or ROLLBACK.
--
-- Each plan makes a generation of its own; they share a transaction and its one write to disk, so that clients who post at the same time do not wait for each
-- other's. All of them are admitted, or none: whoever calls decides again, or calls for each of them alone. The refusals are the tables' own, as ever.
--
-- p_plans: null for a plan that comes along in this call; the number of one that was staged before. A plan's changes and reads say whose they are by its place
-- in these arrays, from 1. outcome: admitted, lost-race, key-known (see 0007_admit.sql).

create procedure admit_many(
    p_groups bigint[], p_plans bigint[], p_bases bigint[], p_tokens bigint[], p_reasons text[], p_acknowledged jsonb[], p_digest_deltas bytea[],
    p_changes int[], p_added int[], p_replaced int[], p_deleted int[], p_absent int[],
    p_change_places int[], p_zones bigint[], p_owners text[], p_types int[], p_covered int[], p_values bytea[],     -- the changes
    p_read_places int[], p_read_zones bigint[], p_read_owners text[],                                               -- the reads
    p_keys text[], p_body_hashes bytea[],
    p_generations bigint[], p_ids bytea[], p_digests bytea[],
    inout outcome text
) language plpgsql as $$
declare
    many constant int := cardinality(p_groups);
    drawn bigint[];
    numbers bigint[];
    written int;
begin
    -- unnest fills up a shorter array with nulls, and a null value means gone: one value too few would be a deletion.
    if exists (select from unnest(array [cardinality(p_plans), cardinality(p_bases), cardinality(p_tokens), cardinality(p_reasons), cardinality(p_acknowledged),
                                         cardinality(p_digest_deltas), cardinality(p_changes), cardinality(p_added), cardinality(p_replaced), cardinality(p_deleted),
                                         cardinality(p_absent), cardinality(p_keys), cardinality(p_body_hashes), cardinality(p_generations), cardinality(p_ids),
                                         cardinality(p_digests)]) as l (length) where l.length is distinct from many)
       or exists (select from unnest(array [cardinality(p_change_places), cardinality(p_owners), cardinality(p_types), cardinality(p_covered), cardinality(p_values)])
                  as l (length) where l.length is distinct from cardinality(p_zones))
       or exists (select from unnest(array [cardinality(p_read_places), cardinality(p_read_owners)]) as l (length)
                  where l.length is distinct from cardinality(p_read_zones))
    then
        raise exception using errcode = 'HF013', message = 'admit_many: arrays that belong together differ in length';
    end if;

    -- Numbers are drawn in order of places, so sorting them gives each plan its own.
    with inserted as (
        insert into plan (zone_group, base, token, reason, acknowledged, digest_delta, changes, added, replaced, deleted, absent)
        select p.zone_group, p.base, p.token, p.reason, coalesce(p.acknowledged, '[]'), p.digest_delta, p.changes, p.added, p.replaced, p.deleted, p.absent
        from unnest(p_plans, p_groups, p_bases, p_tokens, p_reasons, p_acknowledged, p_digest_deltas, p_changes, p_added, p_replaced, p_deleted, p_absent)
             with ordinality as p (plan, zone_group, base, token, reason, acknowledged, digest_delta, changes, added, replaced, deleted, absent, place)
        where p.plan is null
        order by p.place
        returning plan
    )
    select array_agg(i.plan order by i.plan) into drawn from inserted i;
    if cardinality(drawn) = many then
        numbers := drawn;
    else
        select array_agg(coalesce(p.plan, drawn[p.nth]) order by p.place) into numbers
        from (select u.plan, u.place, count(*) filter (where u.plan is null) over (order by u.place) as nth from unnest(p_plans) with ordinality as u (plan, place)) p;
    end if;

    if cardinality(p_zones) > 0 then
        insert into change (zone, owner, type, covered, plan, value)
        select c.zone, c.owner, c.type, c.covered, numbers[c.place], c.value
        from unnest(p_change_places, p_zones, p_owners, p_types, p_covered, p_values) as c (place, zone, owner, type, covered, value);
    end if;
    if cardinality(p_read_zones) > 0 then
        insert into plan_read (plan, zone, owner)
        select distinct numbers[r.place], r.zone, r.owner from unnest(p_read_places, p_read_zones, p_read_owners) as r (place, zone, owner);
    end if;

    if array_remove(p_keys, null) <> '{}' then
        insert into idempotency_key (token, key, body_hash, plan)
        select k.token, k.key, k.body_hash, numbers[k.place]
        from unnest(p_tokens, p_keys, p_body_hashes) with ordinality as k (token, key, body_hash, place)
        where k.key is not null
        order by k.token, k.key
        on conflict (token, key) do nothing;
        get diagnostics written = row_count;
        if written < cardinality(array_remove(p_keys, null)) then
            rollback;
            outcome := 'key-known';
            return;
        end if;
    end if;

    -- In order of groups and numbers: two callers with the same groups wait for each other, and never both. Whether the numbers are the next ones is seen first,
    -- so that a race that was lost long ago is no refusal; one that is lost from here on is told by the key.
    if exists (select from unnest(p_groups, p_generations) as n (zone_group, generation)
               where exists (select from generation g where g.zone_group = n.zone_group and g.generation = n.generation)) then
        rollback;
        outcome := 'lost-race';
        return;
    end if;
    insert into generation (zone_group, generation, plan, id, digest)
    select g.zone_group, g.generation, numbers[g.place], g.id, g.digest
    from unnest(p_groups, p_generations, p_ids, p_digests) with ordinality as g (zone_group, generation, id, digest, place)
    order by g.zone_group, g.generation
    on conflict (zone_group, generation) do nothing;
    get diagnostics written = row_count;
    if written < many then
        rollback;
        outcome := 'lost-race';
        return;
    end if;
    commit;
    outcome := 'admitted';
end
$$;

revoke execute on procedure admit_many from public;
grant execute on procedure admit_many to holdfast_admit;
