-- The door that commits by itself: CALL admit(…) writes the rows of some plans first, their generations last, and ends in COMMIT or ROLLBACK.
--
-- Why a procedure. With plain statements and every time-out set:
--   1. client A inserts generation 42 and is stopped between Execute and Sync, so its transaction stays open with nothing to time out;
--   2. client B inserts generation 42 and waits on A's row.
-- A CALL needs its client no more once it has begun: A's ends by itself, and B is told within a millisecond.
-- A procedure that commits cannot be SECURITY DEFINER, be pinned to a search_path, catch exceptions, or be called inside a transaction: so its caller holds plain
-- rights, and all refusing is done by the tables' triggers. Whoever writes the same rows by hand meets the same refusals.
--
-- Why many plans. Each makes a generation of its own, in whatever group; they share a transaction and its one write to disk, so that clients who post at the same
-- time do not wait for each other's. All of them are admitted, or none: whoever calls decides again, or calls for each of them alone.
--
-- p_plans: null for a plan that comes along in this call; the number of one that was staged before, with INSERTs into plan, change and plan_read. A plan's changes
-- and reads say whose they are by its place in these arrays, from 1. Touched rows are changes like others. A value that is null means gone. A key that is null: no
-- idempotency key. p_parents: the id of the generation that each was decided on, another one of this
-- call perhaps; null for a group's first. outcome: admitted (committed); lost-race (somebody took a number, or what a plan was decided on is not what it would follow, as
-- in a database that went back in time: nothing is written, read again and decide again); key-known (a key has its
-- result already: nothing is written, look it up). p_points_to: names with a space between (an array of arrays would have to be a rectangle). Refusals are exceptions with the SQLSTATEs of 0002_history.sql.

create procedure admit(
    p_groups bigint[], p_plans bigint[], p_bases bigint[], p_tokens bigint[], p_reasons text[], p_acknowledged jsonb[], p_digest_deltas bytea[],
    p_kinds text[], p_through_freeze boolean[], p_rolled_back_to bigint[], p_changes int[], p_added int[], p_replaced int[], p_deleted int[], p_absent int[],
    p_change_places int[], p_zones bigint[], p_owners text[], p_types int[], p_covered int[], p_values bytea[], p_points_to text[],     -- the changes
    p_read_places int[], p_read_zones bigint[], p_read_owners text[],                                               -- the reads
    p_keys text[], p_body_hashes bytea[],
    p_generations bigint[], p_parents bytea[], p_ids bytea[], p_digests bytea[], p_answers bytea[], p_deletes_spent bigint[],
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
                                         cardinality(p_digest_deltas), cardinality(p_kinds), cardinality(p_through_freeze), cardinality(p_rolled_back_to), cardinality(p_changes), cardinality(p_added), cardinality(p_replaced), cardinality(p_deleted),
                                         cardinality(p_absent), cardinality(p_keys), cardinality(p_body_hashes), cardinality(p_generations), cardinality(p_parents), cardinality(p_ids),
                                         cardinality(p_digests), cardinality(p_answers), cardinality(p_deletes_spent)]) as l (length) where l.length is distinct from many)
       or exists (select from unnest(array [cardinality(p_change_places), cardinality(p_owners), cardinality(p_types), cardinality(p_covered), cardinality(p_values),
                                            cardinality(p_points_to)])
                  as l (length) where l.length is distinct from cardinality(p_zones))
       or exists (select from unnest(array [cardinality(p_read_places), cardinality(p_read_owners)]) as l (length)
                  where l.length is distinct from cardinality(p_read_zones))
    then
        raise exception using errcode = 'HF013', message = 'admit: arrays that belong together differ in length';
    end if;

    -- A retry whose first try went through: told apart from a lost race, which would be tried again for ever.
    if array_remove(p_plans, null) <> '{}' then
        select format('plan %s is generation %s of group %s already', g.plan, g.generation, g.zone_group) into outcome
        from generation g where g.plan = any (p_plans) limit 1;
        if found then
            -- By its key, if it has one: then this is no refusal.
            if exists (select from unnest(p_plans, p_tokens, p_keys) as s (plan, token, key) join idempotency_key k on k.token = s.token and k.key = s.key and k.plan = s.plan) then
                outcome := 'key-known';
                return;
            end if;
            raise exception using errcode = 'HF003', message = outcome;
        end if;
        -- A number is all that a caller has of what it staged.
        --   1. An API stages a plan's rows as plan 41, and is stopped.
        --   2. The database goes back to before that, and another author's plan is staged: as 41, since the sequence went back as well. Or it goes back to the middle
        --      of it, and some of the rows are gone.
        --   3. The API goes on. Its parent is still the tip, so nothing else tells that these are not its rows.
        select format('plan %s is not as it was staged; the database went back in time', s.plan) into outcome
        from unnest(p_plans, p_groups, p_bases, p_tokens, p_digest_deltas, p_kinds, p_changes) as s (plan, zone_group, base, token, digest_delta, kind, changes)
        join plan p on p.plan = s.plan
        where ((p.zone_group, p.base, p.token, p.digest_delta, p.kind, p.changes) is distinct from (s.zone_group, s.base, s.token, s.digest_delta, s.kind, s.changes)
               or (select count(*) from change c where c.plan = s.plan) - (select count(*) from change c where c.plan = s.plan and c.type = 65536) <> s.changes)
        limit 1;
        if found then
            raise exception using errcode = 'HF038', message = outcome;
        end if;
    end if;

    -- Numbers are drawn in order of places, so sorting them gives each plan its own.
    with inserted as (
        insert into plan (zone_group, base, token, reason, acknowledged, digest_delta, kind, through_freeze, rolled_back_to, changes, added, replaced, deleted, absent)
        select p.zone_group, p.base, p.token, p.reason, coalesce(p.acknowledged, '[]'), p.digest_delta, p.kind, p.through_freeze, p.rolled_back_to, p.changes, p.added, p.replaced, p.deleted, p.absent
        from unnest(p_plans, p_groups, p_bases, p_tokens, p_reasons, p_acknowledged, p_digest_deltas, p_kinds, p_through_freeze, p_rolled_back_to,
                    p_changes, p_added, p_replaced, p_deleted, p_absent)
             with ordinality as p (plan, zone_group, base, token, reason, acknowledged, digest_delta, kind, through_freeze, rolled_back_to, changes, added, replaced, deleted, absent, place)
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
        insert into change (zone, owner, type, covered, plan, value, points_to)
        select c.zone, c.owner, c.type, c.covered, numbers[c.place], c.value, string_to_array(c.points_to, ' ')
        from unnest(p_change_places, p_zones, p_owners, p_types, p_covered, p_values, p_points_to) as c (place, zone, owner, type, covered, value, points_to);
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
    -- so that a race that was lost long ago is no refusal; one that is lost from here on is told by the key. What is to follow another one of this call is not there
    -- yet: generation_is_next sees whether it does.
    if exists (select from unnest(p_groups, p_generations, p_parents) as n (zone_group, generation, parent)
               left join lateral (
                   select g.generation, g.id from generation g
                   where g.zone_group = n.zone_group and g.generation <= n.generation order by g.generation desc limit 1
               ) below on true
               where below.generation = n.generation or (below.id is distinct from n.parent and (n.parent = any (p_ids)) is not true)) then
        rollback;
        outcome := 'lost-race';
        return;
    end if;
    insert into generation (zone_group, generation, plan, parent, id, digest, answers, deletes_spent)
    select g.zone_group, g.generation, numbers[g.place], g.parent, g.id, g.digest, g.answers, g.deletes_spent
    from unnest(p_groups, p_generations, p_parents, p_ids, p_digests, p_answers, p_deletes_spent)
         with ordinality as g (zone_group, generation, parent, id, digest, answers, deletes_spent, place)
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

revoke execute on procedure admit from public;
grant execute on procedure admit to holdfast_admit;
