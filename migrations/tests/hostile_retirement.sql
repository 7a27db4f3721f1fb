-- Hostile cases of retirement, floors and pins; the form is told in hostile.sql, the numbers in fixture.sql.

--! case f10_a_floor_does_not_fall
--! role owner
--! expect HF033
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
update zone_group set floor = 2 where zone_group = 1;

--! case f10_a_floor_does_not_pass_a_head
--! role retire
--! expect HF035
--! setup
select fixture.name_it(1, 5);
--! hostile
update zone_group set floor = 4 where zone_group = 1;

--! case f10_nor_through_the_door
--! role retire
--! expect HF035
--! setup
select fixture.name_it(1, 5);
--! hostile
call raise_floor(1, 4, null);

--! case f10_a_floor_leaves_as_many_generations_as_are_to_be_kept
--! role retire
--! expect none
--! hostile
call raise_floor(1, 2, null, 100);
--! then
select floor = 1 from zone_group where zone_group = 1;

--! case f10_a_floor_does_not_pass_a_ring_without_a_head
--! role owner
--! expect HF035
--! setup
insert into ring (ring) values ('delayed');
--! hostile
update zone_group set floor = 2 where zone_group = 1;

--! case f10_a_floor_past_the_head_of_an_ended_ring
--! role retire
--! expect none
--! setup
insert into ring (ring) values ('canary');
insert into verdict (zone_group, generation, passed, why, by) values (1, 1, true, 'proved', 'e');
insert into head_move (zone_group, ring, generation, by) values (1, 'canary', 1, 'e');
call end_ring('canary', 'no more', null, 'me');
--! hostile
update zone_group set floor = 3 where zone_group = 1;
--! then
select floor = 3 from zone_group where zone_group = 1;

--! case f10_a_floor_does_not_pass_a_pin
--! role owner
--! expect HF035
--! setup
insert into pin (zone_group, generation, why, by) values (1, 1, 'for the audit', 'me');
--! hostile
update zone_group set floor = 2 where zone_group = 1;

--! case f10_nor_all_floors_at_once
--! role owner
--! expect HF035
--! setup
insert into pin (zone_group, generation, why, by) values (1, 1, 'for the audit', 'me');
--! hostile
update zone_group z set floor = (select max(generation) from generation g where g.zone_group = z.zone_group);

--! case f10_a_floor_is_a_generation
--! role owner
--! expect HF034
--! hostile
update zone_group set floor = 7 where zone_group = 1;

--! case f10_a_group_keeps_its_name
--! role owner
--! expect HF002
--! hostile
update zone_group set name = 'x' where zone_group = 1;

--! case f10_nothing_goes_before_the_floor_rises
--! role retire
--! expect HF003
--! hostile
delete from change where plan = 1 and owner = 'www';

--! case f10_the_newest_below_the_floor_is_not_deleted
--! role owner
--! expect HF036
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from change where plan = 2 and owner = 'www';

--! case f10_nor_all_versions_at_once
--! role owner
--! expect HF036
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from change where owner = 'www' and plan in (1, 2);

--! case f10_nor_one_after_the_other
--! role owner
--! expect HF036
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
begin;
delete from change where owner = 'www' and plan = 1;
delete from change where owner = 'www' and plan = 2;
commit;

--! case f10_nor_with_the_floor_in_one_statement
--! role owner
--! expect HF036
--! hostile
with f as (update zone_group set floor = 3 where zone_group = 1 returning floor) delete from change using f where owner = 'www' and plan = 2;

--! case f10_nor_because_a_staged_plan_has_a_newer_one
--! role owner
--! expect HF036
--! setup
update zone_group set floor = 3 where zone_group = 1;
select fixture.stage(1, 3, 1, '{www}');
--! hostile
delete from change where plan = 2 and owner = 'www';

--! case f10_nor_because_a_newer_one_is_above_the_floor
--! role owner
--! expect HF036
--! setup
select fixture.name_it(1, fixture.stage(1, 3, 1, '{www}'));
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from change where plan = 2 and owner = 'www';

--! case f10_what_is_above_the_floor_stays
--! role owner
--! expect HF003
--! setup
update zone_group set floor = 2 where zone_group = 1;
--! hostile
delete from change where plan = 3;

--! case f10_what_is_superseded_may_go
--! role retire
--! expect none
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from change where plan = 1 and owner = 'www';
--! then
select array_agg(owner || plan order by owner, type) = '{2,@1,@1,mail1,new3,www2}' from (select owner, type, plan from zone_at(1, 3) where owner <> '' union all select '', 0, 2 from zone_at(1, 2) where owner = '') s;

--! case f10_a_tombstone_does_not_go_before_what_it_ends
--! role owner
--! expect HF036
--! setup
select fixture.name_it(1, fixture.put(1, 3, 1, '{mail}', '{1}', '{0}', array [null]::bytea[]));
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e');
update zone_group set floor = 4 where zone_group = 1;
--! hostile
delete from change where plan = 12 and owner = 'mail';

--! case f10_a_tombstone_goes_with_what_it_ends
--! role retire
--! expect none
--! setup
select fixture.name_it(1, fixture.put(1, 3, 1, '{mail}', '{1}', '{0}', array [null]::bytea[]));
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e');
update zone_group set floor = 4 where zone_group = 1;
--! hostile
delete from change where owner = 'mail' and plan in (1, 12);
--! then
select not exists (select from zone_at(1, 4) where owner = 'mail');

--! case f10_a_tombstone_above_the_floor_stays
--! role retire
--! expect HF003
--! setup
select fixture.name_it(1, fixture.put(1, 3, 1, '{mail}', '{1}', '{0}', array [null]::bytea[]));
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from change where plan = 12 and owner = 'mail';

--! case f10_the_tombstone_of_a_zone_stays
--! role owner
--! expect HF036
--! setup
select fixture.name_it(1, fixture.put(1, 3, 2, '{@,@}', '{6,2}', '{0,0}', array [null, null]::bytea[], 'end-zone'));
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e');
update zone_group set floor = 4 where zone_group = 1;
--! hostile
delete from change where zone = 2 and owner = '@';

--! case f10_the_last_touch_stays
--! role owner
--! expect HF036
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from change where zone = 1 and type = 65536 and plan <= 3;

--! case f10_older_touches_may_go
--! role retire
--! expect none
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from change where zone = 1 and type = 65536 and plan < 3;
--! then
select touched_at(1, 3) = 3;

--! case f10_a_touch_admitted_out_of_order_stays
--! role owner
--! expect HF036
--! setup
select fixture.stage(1, 3, 1, '{x}');
select fixture.name_it(1, fixture.stage(1, 3, 1, '{y}'));
select fixture.name_it(1, 12);
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 5, 'e');
update zone_group set floor = 5 where zone_group = 1;
--! hostile
delete from change where zone = 1 and type = 65536 and plan = 12;

--! case f10_a_count_of_record_sets_stays
--! role owner
--! expect HF036
--! setup
insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) select 1, 3, fixture.h('x'), 1, 1, 0, 0, 0 from generate_series(1, 2);
insert into change (zone, owner, type, plan, value) values (1, '', 65536, 12, '\x740000000000000005'), (1, 'x', 1, 12, '\x01'), (1, '', 65536, 13, '\x640000000000000001'), (1, 'y', 1, 13, '\x01');
select fixture.name_it(1, 12), fixture.name_it(1, 13);
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 5, 'e');
update zone_group set floor = 5 where zone_group = 1;
--! hostile
delete from change where zone = 1 and type = 65536 and plan = 12;

--! case f10_what_a_newer_count_makes_obsolete_may_go
--! role owner
--! expect none
--! setup
insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) select 1, 3, fixture.h('x'), 1, 1, 0, 0, 0 from generate_series(1, 2);
insert into change (zone, owner, type, plan, value) values (1, '', 65536, 12, '\x640000000000000001'), (1, 'x', 1, 12, '\x01'), (1, '', 65536, 13, '\x740000000000000006'), (1, 'y', 1, 13, '\x01');
select fixture.name_it(1, 12), fixture.name_it(1, 13);
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 5, 'e');
update zone_group set floor = 5 where zone_group = 1;
--! hostile
delete from change where zone = 1 and type = 65536 and plan in (1, 2, 3, 12);
--! then
select record_sets_at(1, 5) = 6;

--! case f10_reads_above_the_floor_stay
--! role owner
--! expect HF003
--! setup
update zone_group set floor = 2 where zone_group = 1;
--! hostile
delete from plan_read where plan = 3;

--! case f10_reads_at_the_floor_may_go
--! role retire
--! expect none
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from plan_read where plan = 3;
--! then
select not exists (select from plan_read where plan = 3);

--! case f10_the_floors_parent_is_remembered
--! role owner
--! expect HF037
--! setup
create or replace function generations_remembered() returns int language sql immutable as $$ select 1 $$;
select fixture.name_it(1, fixture.stage(1, 3, 1, '{www}'));
select fixture.name_it(1, fixture.stage(1, 4, 1, '{www}'));
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 5, 'e');
update zone_group set floor = 5 where zone_group = 1;
delete from change where zone = 1 and plan = 12;
--! hostile
delete from generation where zone_group = 1 and generation = 4;

--! case f14_what_is_forgotten_may_go
--! role retire
--! expect none
--! setup
create or replace function generations_remembered() returns int language sql immutable as $$ select 1 $$;
select fixture.name_it(1, fixture.stage(1, 3, 1, '{www}'));
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e');
update zone_group set floor = 4 where zone_group = 1;
--! hostile
delete from change where zone = 1 and plan = 2;
delete from head_move where zone_group = 1 and generation < 4;
delete from generation where zone_group = 1 and generation = 2;
delete from plan where plan = 2;
--! then
select count(*) = 2 from generation where zone_group = 1 and generation < 4;

--! case f10_what_is_young_is_remembered
--! role owner
--! expect HF037
--! setup
select fixture.name_it(1, fixture.stage(1, 3, 1, '{www}'));
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e');
update zone_group set floor = 4 where zone_group = 1;
delete from change where zone = 1 and plan = 2;
delete from head_move where zone_group = 1 and generation < 4;
--! hostile
delete from generation where zone_group = 1 and generation = 2;

--! case f10_a_generation_with_changes_is_remembered
--! role owner
--! expect HF037
--! setup
create or replace function generations_remembered() returns int language sql immutable as $$ select 1 $$;
update zone_group set floor = 3 where zone_group = 1;
delete from head_move where zone_group = 1 and generation < 3;
--! hostile
delete from generation where zone_group = 1 and generation = 1;

--! case f10_a_pinned_generation_stays
--! role owner
--! expect 23503
--! setup
insert into pin (zone_group, generation, why, by) values (1, 2, 'for the audit', 'me');
delete from head_move where zone_group = 1 and generation < 3;
--! hostile
delete from generation where zone_group = 1 and generation = 2;

--! case f10_a_plan_that_is_remembered_stays
--! role owner
--! expect HF003
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from plan where plan = 1;

--! case f14_a_plan_that_can_be_admitted_no_more_may_go
--! role retire
--! expect none
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from plan where plan = 7;
--! then
select not exists (select from plan where plan = 7);

--! case f14_one_whose_base_is_the_floor_stays
--! role retire
--! expect HF017
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from plan where plan = 5;

--! case f09_a_key_stays_with_its_generation
--! role owner
--! expect HF037
--! setup
select fixture.stage(1, 3, 1, '{k}', '{}', 1);
insert into idempotency_key (token, key, body_hash, plan) values (1, 'key', fixture.h('b'), 12);
select fixture.name_it(1, 12);
--! hostile
delete from idempotency_key;

--! case f52_a_verdict_below_the_floor_may_go
--! role retire
--! expect none
--! setup
insert into verdict (zone_group, generation, passed, why, by) values (1, 2, false, 'a server was lost', 'e');
update zone_group set floor = 3 where zone_group = 1;
--! hostile
delete from verdict;
--! then
select not exists (select from verdict);

--! case f50_a_stale_upsert_after_its_tombstone_was_retired
--! role owner
--! expect HF032
--! setup
select fixture.name_it(1, fixture.put(1, 3, 1, '{mail}', '{1}', '{0}', array [null]::bytea[]));
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e');
update zone_group set floor = 4 where zone_group = 1;
delete from change where owner = 'mail' and plan in (1, 12);
--! hostile
select fixture.name_it(1, fixture.stage(1, 3, 1, '{mail}'));

--! case f50_nor_through_the_door
--! role admit
--! expect HF032
--! setup
select fixture.name_it(1, fixture.put(1, 3, 1, '{mail}', '{1}', '{0}', array [null]::bytea[]));
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e');
update zone_group set floor = 4 where zone_group = 1;
delete from change where owner = 'mail' and plan in (1, 12);
--! hostile
call fixture.admit(1, null, 3, null, null, '[]', fixture.h('x'), '{1,1,0,0,0}', '{1,1}', '{"",mail}', '{65536,1}', '{0,0}', array ['\x00', '\x01']::bytea[], '{}', '{}', null, null, 5, fixture.h('x'), fixture.h('x'), null, null);

--! case f50_a_base_at_the_floor_is_judged
--! role admit
--! expect none
--! setup
select fixture.name_it(1, fixture.stage(1, 3, 1, '{x}'));
update zone_group set floor = 3 where zone_group = 1;
--! hostile
call fixture.admit(1, null, 3, null, null, '[]', fixture.h('x'), '{1,1,0,0,0}', '{1,1}', '{"",mail}', '{65536,1}', '{0,0}', array ['\x00', '\x01']::bytea[], '{}', '{}', null, null, 5, fixture.h('x'), fixture.h('x'), null, null);
--! then
select count(*) = 5 from generation where zone_group = 1;

--! case f50_a_rollback_to_below_the_floor
--! role owner
--! expect HF032
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
select fixture.name_it(1, fixture.put(1, 3, 1, '{www}', '{1}', '{0}', array ['\x01']::bytea[], 'rollback', 2));

--! case f49_a_pin_below_the_floor
--! role admit
--! expect HF009
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
insert into pin (zone_group, generation, why, by) values (1, 2, 'too late', 'me');

--! case f49_a_pin_of_what_does_not_exist
--! role admit
--! expect 23503
--! hostile
insert into pin (zone_group, generation, why, by) values (1, 4, 'too early', 'me');

--! case f49_a_pin_is_not_moved
--! role owner
--! expect HF002
--! setup
insert into pin (zone_group, generation, why, by) values (1, 2, 'for the audit', 'me');
--! hostile
update pin set generation = 3;

--! case f49_pins_are_not_truncated
--! role owner
--! expect HF002
--! hostile
truncate pin;

--! case f45_a_pin_leaves_its_row_in_the_log
--! role admit
--! expect none
--! hostile
call pin_generation(1, 2, 'for the audit', 1, 'planner', null);
call unpin_generation(1, 1, 'it is over', 1, 'planner', null);
--! then
select array_agg(act order by audit) = '{pin,unpin}' and not exists (select from pin) from audit where zone_group = 1 and detail ->> 'reason' in ('for the audit', 'it is over');

--! case f60_retiring_under_an_old_snapshot
--! role owner
--! expect HF001
--! setup
update zone_group set floor = 3 where zone_group = 1;
--! hostile
begin isolation level repeatable read;
delete from change where plan = 1 and owner = 'www';
commit;

--! case f60_a_floor_under_an_old_snapshot
--! role owner
--! expect HF001
--! hostile
begin isolation level repeatable read;
update zone_group set floor = 2 where zone_group = 1;
commit;

--! case f60_a_pin_under_an_old_snapshot
--! role owner
--! expect HF001
--! hostile
begin isolation level serializable;
insert into pin (zone_group, generation, why, by) values (1, 2, 'for the audit', 'me');
commit;

--! case f60_a_generation_is_not_forgotten_under_an_old_snapshot
--! role owner
--! expect HF001
--! setup
create or replace function generations_remembered() returns int language sql immutable as $$ select 1 $$;
select fixture.name_it(1, fixture.stage(1, 3, 1, '{www}'));
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e');
update zone_group set floor = 4 where zone_group = 1;
delete from change where zone = 1 and plan = 2;
delete from head_move where zone_group = 1 and generation < 4;
--! hostile
begin isolation level repeatable read;
delete from generation where zone_group = 1 and generation = 2;
commit;

--! case f14_the_doors_retire_all_that_is_not_seen
--! role retire
--! expect none
--! setup
select fixture.name_it(1, fixture.put(1, 3, 1, '{mail}', '{1}', '{0}', array [null]::bytea[]));
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e');
--! hostile
call raise_floor(1, 4, null);
call retire_moves(1, 100, null);
call retire_changes(1, 1, null, null);
call retire_changes(1, 2, null, null);
call retire_changes(1, 3, null, null);
call retire_changes(1, 100, null, null);
call forget_generations(1, 100, null, null);
call give_up_plans(0, 100, null, null);
call retire_leftovers(100, null);
call retire_leftovers(100, null);
--! then
select (select array_agg(zone || owner || type || '.' || plan order by zone, owner, type) from change where plan in (select plan from generation where zone_group = 1))
     = '{165536.12,1@2.1,1@6.1,1new1.3,1www1.2,265536.1,2@2.1,2@6.1}'
   and (select array_agg(generation) = '{4}' from head_move where zone_group = 1)
   and not exists (select from leftover) and not exists (select from change where plan = 6) and not exists (select from plan_read where plan in (3, 6));

--! case f14_a_large_generation_is_swept_in_parts
--! role retire
--! expect none
--! setup
select fixture.name_it(1, fixture.put(1, 3, 1, array_agg('n' || i), array_agg(1), array_agg(0), array_agg('\x01'::bytea), 'change', null, 50)) from generate_series(1, 50) i;
select fixture.name_it(1, fixture.put(1, 4, 1, array_agg('n' || i), array_agg(1), array_agg(0), array_agg('\x02'::bytea), 'change', null, 50)) from generate_series(1, 50) i;
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 5, 'e');
update zone_group set floor = 5 where zone_group = 1;
--! hostile
do $$
declare
    removed bigint;
    done boolean := false;
    calls int := 0;
begin
    while not done loop
        call retire_changes(1, 7, removed, done);
        calls := calls + 1;
        if removed > 12 or calls > 40 then raise exception 'call % removed %', calls, removed; end if;
    end loop;
    if calls < 14 then raise exception 'only % calls', calls; end if;
end
$$;
--! then
select count(*) = 50 and min(plan) = 13 from change where zone = 1 and owner ~ '^n[0-9]';

--! case retire_admits_nothing
--! role retire
--! expect 42501
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 5, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));

--! case retire_writes_no_plans
--! role retire
--! expect 42501
--! hostile
insert into change (zone, owner, type, plan, value) values (1, 'x', 1, 5, '\x01');

--! case retire_moves_nothing
--! role retire
--! expect 42501
--! hostile
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 3, 'e') on conflict do nothing;

--! case retire_does_not_unpin
--! role retire
--! expect 42501
--! hostile
delete from pin;

--! case retire_renames_no_group
--! role retire
--! expect 42501
--! hostile
update zone_group set name = 'x';

--! case retire_sees_no_tokens
--! role retire
--! expect 42501
--! hostile
select hash from token;

--! case retire_remembers_no_less
--! role retire
--! expect 42501
--! hostile
create or replace function generations_remembered() returns int language sql immutable as $$ select 1 $$;

--! case enactors_raise_no_floor
--! role enact
--! expect 42501
--! hostile
update zone_group set floor = 2 where zone_group = 1;

--! case the_api_retires_nothing
--! role admit
--! expect 42501
--! hostile
delete from change where plan = 1 and owner = 'www';

--! case servers_retire_nothing
--! role serve
--! expect 42501
--! hostile
call raise_floor(1, 2, null);
