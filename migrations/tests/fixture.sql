-- What the hostile cases start from, made by the owner. Numbers are fixed, so that the cases can be read:
--
--   group 1 `a`, zones 1 `a.` and 2 `aa.`: generation 1 = plan 1 (SOA and NS of both, www, mail), 2 = plan 2 (base 1: www), 3 = plan 3 (base 2: new); head moves to all three
--   group 2 `b`, zone 3 `b.`:              generation 1 = plan 4; head move to it
--   staged only:  plan 5 (base 3: `open`, reads `mail`)   plan 6 (the same with `old`, two hours ago: given up)   plan 7 (base 1: www, so stale)   plan 8 (empty)
--                 plan 9 (group 2, base 1: `open`)        plan 10 (base 1: `other`, reads `www`, so stale)        plan 11 (base 1: `other`, reads all of a., so stale)
--   zone 4 `c.` of group 2, without anything.   tokens: 1 `planner`, 2 `gone` (ended)

create schema fixture;
grant usage on schema fixture to public;
create function fixture.h(what text) returns bytea language sql immutable as $$ select sha256(convert_to(what, 'UTF8')) $$;
-- The id of what a generation of this number would follow.
create function fixture.parent(in_group bigint, above bigint) returns bytea language sql stable as $$
    select g.id from generation g where g.zone_group = in_group and g.generation < above order by g.generation desc limit 1
$$;
-- The ids of generations, in this order.
create function fixture.ids(of_groups bigint[], numbers bigint[]) returns bytea[] language sql stable security definer as $$
    select array_agg(g.id order by n.place) from unnest(of_groups, numbers) with ordinality as n (zone_group, generation, place)
    left join generation g on g.zone_group = n.zone_group and g.generation = n.generation
$$;
-- A staged plan that gives each owner an address in one zone, with the touched row.
create function fixture.stage(in_group bigint, on_base bigint, in_zone bigint, owners text[], reads text[] default '{}', by_token bigint default null) returns bigint language plpgsql as $$
declare
    drawn bigint;
begin
    insert into plan (zone_group, base, token, digest_delta, changes, added, replaced, deleted, absent)
    values (in_group, on_base, by_token, fixture.h('delta'), cardinality(owners), cardinality(owners), 0, 0, 0) returning plan into drawn;
    insert into change (zone, owner, type, plan, value)
    select in_zone, '', 65536, drawn, '\x00'::bytea where owners <> '{}' union all select in_zone, o, 1, drawn, '\xc0000201' from unnest(owners) o;
    insert into plan_read (plan, zone, owner) select drawn, in_zone, r from unnest(reads) r;
    return drawn;
end
$$;
create function fixture.name_it(in_group bigint, the_plan bigint) returns bigint language sql as $$
    insert into generation (zone_group, generation, plan, parent, id, digest)
    select in_group, n.generation, the_plan, fixture.parent(in_group, n.generation), fixture.h('id' || the_plan), fixture.h('digest' || the_plan)
    from (select 1 + coalesce((select max(generation) from generation where zone_group = in_group), 0) as generation) n
    returning generation
$$;

-- A stored set of so many addresses.
create function fixture.addresses(many int) returns bytea language sql immutable as $$
    select '\x0000003c00'::bytea || string_agg('\x0004c00002'::bytea || set_byte('\x00'::bytea, 0, i), '' order by i) from generate_series(1, many) i
$$;
-- A staged plan of any kind with any rows in one zone, with the touched row.
create function fixture.put(
    in_group bigint, on_base bigint, in_zone bigint, owners text[], types int[], covereds int[], datas bytea[], of_kind text default 'change', back_to bigint default null,
    many int default 1) returns bigint language plpgsql as $$
declare
    drawn bigint;
begin
    insert into plan (zone_group, base, kind, rolled_back_to, digest_delta, changes, added, replaced, deleted, absent)
    values (in_group, on_base, of_kind, back_to, fixture.h('delta'), many, 1, 0, 0, 0) returning plan into drawn;
    insert into change (zone, owner, type, covered, plan, value)
    select in_zone, '', 65536, 0, drawn, '\x00'::bytea where owners <> '{}'
    union all select in_zone, r.owner, r.type, r.covered, drawn, r.data from unnest(owners, types, covereds, datas) r (owner, type, covered, data);
    return drawn;
end
$$;
-- Three addresses at www of zone 1, guarded: never fewer than two. Generation 4 of group 1.
create function fixture.guard_www() returns bigint language sql as $$
    select fixture.name_it(1, fixture.put(1, 3, 1, '{www,www}', '{1,65538}', '{0,1}', array [fixture.addresses(3), '\x0002']))
$$;

-- The door for one plan, whose staged rows need no arrays; what is not said of a staged plan is as it was staged.
create procedure fixture.admit(
    p_group bigint, p_plan bigint, p_base bigint, p_token bigint, p_reason text, p_acknowledged jsonb, p_digest_delta bytea, p_counts int[],
    p_zones bigint[], p_owners text[], p_types int[], p_covered int[], p_values bytea[], p_read_zones bigint[], p_read_owners text[],
    p_key text, p_body_hash bytea, p_generation bigint, p_id bytea, p_digest bytea, inout outcome text, inout plan_number bigint
) language plpgsql as $$
begin
    if p_plan is not null then
        p_zones := coalesce(p_zones, '{}'); p_owners := coalesce(p_owners, '{}'); p_types := coalesce(p_types, '{}'); p_covered := coalesce(p_covered, '{}');
        p_values := coalesce(p_values, '{}'); p_read_zones := coalesce(p_read_zones, '{}'); p_read_owners := coalesce(p_read_owners, '{}');
        select coalesce(p_base, p.base), coalesce(p_token, p.token), coalesce(p_digest_delta, p.digest_delta),
               coalesce(p_counts, array [p.changes, p.added, p.replaced, p.deleted, p.absent])
        into p_base, p_token, p_digest_delta, p_counts from plan p where p.plan = p_plan;
    end if;
    call admit(array [p_group], array [p_plan], array [p_base], array [p_token], array [p_reason], array [p_acknowledged], array [p_digest_delta],
               array ['change'], array [false], array [null::bigint], array [p_counts[1]], array [p_counts[2]], array [p_counts[3]], array [p_counts[4]], array [p_counts[5]],
               array_fill(1, array [coalesce(cardinality(p_zones), 0)]), p_zones, p_owners, p_types, p_covered, p_values,
               array_fill(null::text, array [coalesce(cardinality(p_zones), 0)]),
               array_fill(1, array [coalesce(cardinality(p_read_zones), 0)]), p_read_zones, p_read_owners,
               array [p_key], array [p_body_hash], array [p_generation], array [fixture.parent(p_group, p_generation)], array [p_id], array [p_digest],
               array [fixture.h('answers')], array [0::bigint], outcome);
end
$$;

insert into zone_group (name) values ('a'), ('b');
insert into zone (name, zone_group) values ('a.', 1), ('aa.', 1), ('b.', 2), ('c.', 2);
insert into token (name, hash, role, ended) values ('planner', fixture.h('t1'), 'planner', null), ('gone', fixture.h('t2'), 'planner', now());

do $$
declare
    p bigint;
begin
    p := fixture.stage(1, 0, 1, '{www,mail}');
    insert into change (zone, owner, type, plan, value) values
        (1, '@', 6, p, '\x01'), (1, '@', 2, p, '\x01'), (2, '', 65536, p, '\x00'), (2, '@', 6, p, '\x01'), (2, '@', 2, p, '\x01');
    perform fixture.name_it(1, p);
    perform fixture.name_it(1, fixture.stage(1, 1, 1, '{www}'));
    perform fixture.name_it(1, fixture.stage(1, 2, 1, '{new}', '{www}'));
    p := fixture.stage(2, 0, 3, '{www}');
    insert into change (zone, owner, type, plan, value) values (3, '@', 6, p, '\x01'), (3, '@', 2, p, '\x01');
    perform fixture.name_it(2, p);
    insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 1, 'e1'), (1, 'fleet', 2, 'e2'), (1, 'fleet', 3, 'e1'), (2, 'fleet', 1, 'e1');
    perform fixture.stage(1, 3, 1, '{open}', '{mail}');
    perform fixture.stage(1, 3, 1, '{old}', '{mail}');
    perform fixture.stage(1, 1, 1, '{www}');
    perform fixture.stage(1, 3, 1, '{}');
    perform fixture.stage(2, 1, 3, '{open}');
    perform fixture.stage(1, 1, 1, '{other}', '{www}');
    perform fixture.stage(1, 1, 1, '{other}', '{""}');
end
$$;
alter table plan disable trigger plan_never_changes;
update plan set at = now() - interval '2 hours' where plan = 6;
alter table plan enable trigger plan_never_changes;
