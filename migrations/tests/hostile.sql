-- Statements that must be refused (or must do nothing), as data. Each case: name, role, the SQLSTATE expected ("none": it goes through), optionally setup by the
-- owner, the hostile statements, and optionally a query that must say true afterwards. They run on a copy of fixture.sql's database. Roles: owner, or the role
-- of 0001_roles.sql that the login has (admit, enact, serve, read), or 0020_auditor.sql (audit).

--! case f01_a_late_move_is_a_row_without_effect
--! role enact
--! expect none
--! setup
delete from head_move where zone_group = 1 and generation = 2;
--! hostile
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 2, 'late');
--! then
select max(generation) = 3 from head_move where zone_group = 1;

--! case f01_the_number_is_taken
--! role admit
--! expect 23505
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 3, 5, fixture.parent(1, 3), fixture.h('x'), fixture.h('x'));

--! case f01_a_late_admission_meets_newer_generations
--! role admit
--! expect none
--! hostile
call fixture.admit(1, 5, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 3, fixture.h('x'), fixture.h('x'), null, null);
--! then
select count(*) = 3 from generation where zone_group = 1;

--! case f01_the_head_is_not_deleted
--! role owner
--! expect HF010
--! hostile
delete from head_move where zone_group = 1 and generation = 3;

--! case f01_not_with_all_others_either
--! role owner
--! expect HF010
--! hostile
delete from head_move;

--! case f01_not_by_moving_a_greater_one_away_first
--! role owner
--! expect HF010
--! hostile
begin;
delete from head_move where generation < 3 and zone_group = 1;
delete from head_move where zone_group = 1;
commit;

--! case f01_nor_with_one_below_that_another_outlives
--! role owner
--! expect HF010
--! hostile
delete from head_move where zone_group = 1 and generation in (1, 3);

--! case f01_nor_because_another_group_is_ahead
--! role owner
--! expect HF010
--! hostile
delete from head_move where zone_group = 2;

--! case f01_nor_because_another_ring_is_ahead
--! role owner
--! expect HF010
--! setup
insert into verdict (zone_group, generation, passed, why, by) values (1, 3, true, 'served', 'e1');
insert into ring (ring) values ('delayed');
insert into head_move (zone_group, ring, generation, by) values (1, 'delayed', 3, 'e1');
select fixture.name_it(1, 5);
insert into head_move (zone_group, ring, generation, by, expected) values (1, 'fleet', 4, 'e1', '{}');
--! hostile
delete from head_move where zone_group = 1 and ring = 'delayed';

--! case f01_not_by_two_deletes_in_one_statement
--! role owner
--! expect HF010
--! hostile
with old as (delete from head_move where zone_group = 1 and generation < 3 returning 1) delete from head_move where zone_group = 1 and generation = 3;

--! case f01_a_head_is_not_moved_by_update
--! role owner
--! expect HF002
--! hostile
update head_move set generation = 1 where zone_group = 1 and generation = 3;

--! case f01_nor_by_upsert
--! role owner
--! expect HF002
--! hostile
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 3, 'x') on conflict (zone_group, ring, generation) do update set generation = 1;

--! case f01_nor_by_merge
--! role owner
--! expect HF002
--! hostile
merge into head_move m using (values (1)) as v (g) on m.zone_group = v.g and m.generation = 3 when matched then update set generation = 1;

--! case f01_moves_are_not_truncated
--! role owner
--! expect HF002
--! hostile
truncate head_move;

--! case f01_superseded_moves_may_go
--! role owner
--! expect none
--! hostile
delete from head_move where zone_group = 1 and generation < 3;
--! then
select array_agg(generation) = '{3}' from head_move where zone_group = 1;

--! case f05_guard_compares_the_plans_base
--! role admit
--! expect HF004
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 7, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));

--! case f05_also_through_the_door
--! role admit
--! expect HF004
--! hostile
call fixture.admit(1, null, 1, null, null, '[]', fixture.h('x'), '{1,1,0,0,0}', '{1,1}', '{"",www}', '{65536,1}', '{0,0}', array ['\x00', '\x01']::bytea[], '{}', '{}', null, null, 4, fixture.h('x'), fixture.h('x'), null, null);

--! case f05_a_base_is_not_moved
--! role owner
--! expect HF002
--! hostile
update plan set base = 3 where plan = 7;

--! case f05_another_type_of_the_same_name_conflicts
--! role owner
--! expect HF004
--! setup
insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) values (1, 1, fixture.h('x'), 1, 1, 0, 0, 0);
insert into change (zone, owner, type, plan, value) select 1, o, t, max(plan), '\x01'::bytea from plan, (values ('', 65536), ('www', 16)) v (o, t) group by o, t;
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f05_large_plan_small_history
--! role owner
--! expect HF004
--! setup
insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) values (1, 1, fixture.h('x'), 500, 500, 0, 0, 0);
insert into change (zone, owner, type, plan, value) select 1, '', 65536, max(plan), '\x00'::bytea from plan;
insert into change (zone, owner, type, plan, value) select 1, 'n' || i, 1, (select max(plan) from plan), '\x01' from generate_series(1, 499) i;
insert into change (zone, owner, type, plan, value) select 1, 'www', 16, max(plan), '\x01'::bytea from plan;
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f05_counts_that_lie_change_nothing
--! role owner
--! expect HF004
--! setup
insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) values (1, 1, fixture.h('x'), 0, 0, 0, 0, 0);
insert into change (zone, owner, type, plan, value) select 1, o, t, max(plan), '\x01'::bytea from plan, (values ('', 65536), ('www', 16)) v (o, t) group by o, t;
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f56_a_name_that_was_read_has_changed
--! role admit
--! expect HF004
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 10, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));

--! case f56_a_zone_that_was_read_has_changed
--! role admit
--! expect HF004
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 11, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));

--! case f56_a_read_does_not_go_from_an_open_plan
--! role owner
--! expect HF017
--! hostile
delete from plan_read where plan = 10;

--! case f56_nor_is_it_changed
--! role owner
--! expect HF002
--! hostile
update plan_read set owner = 'mail' where plan = 10;

--! case f07_same_number_other_content
--! role owner
--! expect HF002
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 3, 5, fixture.parent(1, 3), fixture.h('x'), fixture.h('x')) on conflict (zone_group, generation) do update set plan = 5, id = fixture.h('x');

--! case f07_an_id_is_not_changed
--! role owner
--! expect HF002
--! hostile
update generation set id = fixture.h('x') where zone_group = 1 and generation = 3;

--! case f07_not_through_a_view_either
--! role owner
--! expect HF002
--! hostile
update serving_generation set id = fixture.h('x') where zone_group = 1 and generation = 3;

--! case f07_not_by_merge
--! role owner
--! expect 23503
--! hostile
merge into generation g using (values (3)) as v (g) on g.zone_group = 1 and g.generation = v.g when matched then delete;

--! case f07_one_plan_is_one_generation
--! role owner
--! expect 23505
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 3, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));

--! case f07_the_door_tells_a_retry_apart
--! role admit
--! expect HF003
--! hostile
call fixture.admit(1, 3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null);

--! case f09_one_key_one_plan
--! role admit
--! expect none
--! setup
call fixture.admit(1, null, 3, 1, null, '[]', fixture.h('x'), '{1,1,0,0,0}', '{1,1}', '{"",k}', '{65536,1}', '{0,0}', array ['\x00', '\x01']::bytea[], '{}', '{}', 'key', fixture.h('body'), 4, fixture.h('x'), fixture.h('x'), null, null);
--! hostile
call fixture.admit(1, null, 4, 1, null, '[]', fixture.h('x'), '{1,1,0,0,0}', '{1,1}', '{"",l}', '{65536,1}', '{0,0}', array ['\x00', '\x01']::bytea[], '{}', '{}', 'key', fixture.h('body'), 5, fixture.h('x'), fixture.h('x'), null, null);
--! then
select (select count(*) = 4 from generation where zone_group = 1) and not exists (select from change where owner = 'l');

--! case f09_a_key_is_not_given_to_anothers_plan
--! role admit
--! expect HF020
--! hostile
insert into idempotency_key (token, key, body_hash, plan) values (1, 'key', fixture.h('x'), 5);

--! case f09_the_plan_of_a_key_stays
--! role owner
--! expect HF003
--! setup
select fixture.stage(1, 3, 1, '{x}', '{}', 1);
insert into idempotency_key (token, key, body_hash, plan) values (1, 'key', fixture.h('x'), 12);
alter table plan disable trigger plan_never_changes;
update plan set at = now() - interval '1 day' where plan = 12;
alter table plan enable trigger plan_never_changes;
--! hostile
delete from plan where plan = 12;

--! case f09_a_key_is_not_changed
--! role owner
--! expect HF002
--! hostile
update idempotency_key set plan = 5;

--! case f10_a_generation_is_not_deleted
--! role owner
--! expect 23503
--! hostile
delete from generation where zone_group = 1 and generation = 3;

--! case f10_a_plan_in_force_is_not_deleted
--! role owner
--! expect HF003
--! hostile
delete from plan where plan = 3;

--! case f10_nor_an_old_plan_by_age
--! role owner
--! expect HF003
--! setup
alter table plan disable trigger plan_never_changes;
update plan set at = now() - interval '1 day';
alter table plan enable trigger plan_never_changes;
--! hostile
delete from plan where at < now() - interval '2 hours';

--! case f10_changes_in_force_are_not_deleted
--! role owner
--! expect HF003
--! hostile
delete from change where plan = 1;

--! case f10_not_with_their_plan_in_one_statement
--! role owner
--! expect HF003
--! hostile
with p as (delete from plan where plan = 3 returning plan) delete from change where plan in (select plan from p);

--! case f10_reads_in_force_are_not_deleted
--! role owner
--! expect HF003
--! hostile
delete from plan_read where plan = 3;

--! case f10_a_change_is_not_emptied
--! role owner
--! expect HF002
--! hostile
update change set value = null where owner = 'www';

--! case f10_nor_put_into_another_plan
--! role owner
--! expect HF002
--! hostile
update change set plan = 5 where plan = 3;

--! case f10_changes_are_not_truncated
--! role owner
--! expect HF002
--! hostile
truncate change;

--! case f10_not_by_cascade
--! role owner
--! expect HF002
--! hostile
truncate zone_group cascade;

--! case f10_not_by_cascade_from_plans
--! role owner
--! expect HF002
--! hostile
truncate plan, plan_read, generation cascade;

--! case f10_rings_and_groups_stay
--! role owner
--! expect HF002
--! hostile
delete from zone_group where zone_group = 2;

--! case f10_triggers_are_not_passed_by
--! role owner
--! expect 42501
--! hostile
set session_replication_role = replica;

--! case f10_a_young_plan_is_not_given_up
--! role owner
--! expect HF017
--! hostile
delete from plan where plan = 5;

--! case f11_half_a_plan_is_never_left
--! role owner
--! expect HF017
--! hostile
delete from change where plan = 6;

--! case f11_a_plan_is_given_up_before_its_changes
--! role owner
--! expect none
--! hostile
delete from plan where plan = 6;
delete from change where plan = 6;
delete from plan_read where plan = 6;
--! then
select not exists (select from change where plan = 6) and not exists (select from plan_read where plan = 6);

--! case f11_what_was_given_up_is_not_named
--! role owner
--! expect HF015
--! setup
delete from plan where plan = 6;
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 6, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));

--! case f11_what_was_given_up_is_not_added_to
--! role owner
--! expect HF015
--! setup
delete from plan where plan = 6;
--! hostile
insert into change (zone, owner, type, plan, value) values (1, 'x', 1, 6, '\x01');

--! case f15_a_value_is_not_empty
--! role owner
--! expect HF021
--! hostile
insert into change (zone, owner, type, plan, value) values (1, 'x', 1, 5, '');

--! case f15_a_name_is_lower_case
--! role owner
--! expect HF021
--! hostile
insert into change (zone, owner, type, plan, value) values (1, 'X', 1, 5, '\x01');

--! case f15_a_change_belongs_to_a_name
--! role owner
--! expect HF021
--! hostile
insert into change (zone, owner, type, plan, value) values (1, '', 1, 5, '\x01');

--! case f15_touched_belongs_to_none
--! role owner
--! expect HF021
--! hostile
insert into change (zone, owner, type, plan, value) values (1, 'x', 65536, 5, '\x01');

--! case f15_the_serial_is_at_the_apex
--! role owner
--! expect HF021
--! hostile
insert into change (zone, owner, type, plan, value) values (1, 'x', 65537, 5, '\x01');

--! case f15_only_signatures_cover
--! role owner
--! expect HF021
--! hostile
insert into change (zone, owner, type, covered, plan, value) values (1, 'x', 1, 2, 5, '\x01');

--! case f15_types_that_nobody_knows
--! role owner
--! expect HF021
--! hostile
insert into change (zone, owner, type, plan, value) values (1, 'x', 70000, 5, '\x01');

--! case f15_one_bad_row_among_good_ones
--! role owner
--! expect HF021
--! hostile
insert into change (zone, owner, type, plan, value) select 1, 'y' || i, 1, 5, case i when 500 then ''::bytea else '\x01' end from generate_series(1, 1000) i;

--! case f15_an_id_has_32_bytes
--! role owner
--! expect HF021
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 5, fixture.parent(1, 4), '\x01', fixture.h('x'));

--! case f15_a_plan_has_sane_figures
--! role owner
--! expect HF021
--! hostile
insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) values (1, -1, fixture.h('x'), 0, 0, 0, 0, 0);

--! case f17_a_missing_value_is_not_a_deletion
--! role admit
--! expect HF013
--! hostile
call fixture.admit(1, null, 3, null, null, '[]', fixture.h('x'), '{1,1,0,0,0}', '{1,1}', '{"",x}', '{65536,1}', '{0,0}', array ['\x00']::bytea[], '{}', '{}', null, null, 4, fixture.h('x'), fixture.h('x'), null, null);

--! case f17_nor_a_missing_array
--! role admit
--! expect HF013
--! hostile
call fixture.admit(1, null, 3, null, null, '[]', fixture.h('x'), '{1,1,0,0,0}', '{1,1}', '{"",x}', '{65536,1}', '{0,0}', null, '{}', '{}', null, null, 4, fixture.h('x'), fixture.h('x'), null, null);

--! case f17_names_asked_for_by_halves
--! role admit
--! expect HF013
--! hostile
select * from names_at_tip('{1,1}', '{www}');

--! case f20_the_ns_stands
--! role owner
--! expect HF008
--! setup
select fixture.stage(1, 3, 1, '{x}');
insert into change (zone, owner, type, plan) select 1, '@', 2, max(plan) from plan;
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f20_the_soa_stands
--! role owner
--! expect HF008
--! setup
select fixture.stage(1, 3, 1, '{x}');
insert into change (zone, owner, type, plan) select 1, '@', 6, max(plan) from plan;
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f20_a_new_zone_has_both
--! role owner
--! expect HF008
--! setup
select fixture.stage(2, 1, 4, '{x}');
insert into change (zone, owner, type, plan, value) select 4, '@', 6, max(plan), '\x01'::bytea from plan;
--! hostile
select fixture.name_it(2, max(plan)) from plan;

--! case f20_what_is_only_staged_does_not_count
--! role owner
--! expect HF008
--! setup
select fixture.stage(2, 1, 4, '{x}');
select fixture.stage(2, 1, 4, '{y}');
insert into change (zone, owner, type, plan, value) select 4, '@', t, max(plan), '\x01'::bytea from plan, (values (2), (6)) v (t) group by t;
--! hostile
select fixture.name_it(2, max(plan) - 1) from plan;

--! case f59_late_rows
--! role owner
--! expect HF003
--! hostile
insert into change (zone, owner, type, plan, value) values (1, 'late', 1, 3, '\x01');

--! case f59_late_rows_by_the_api
--! role admit
--! expect HF003
--! hostile
insert into change (zone, owner, type, plan, value) values (1, 'late', 1, 3, '\x01');

--! case f59_late_reads
--! role owner
--! expect HF003
--! hostile
insert into plan_read (plan, zone, owner) values (3, 1, 'late');

--! case f59_rows_after_the_generation_in_one_transaction
--! role owner
--! expect HF003
--! hostile
begin;
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 5, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));
insert into change (zone, owner, type, plan, value) values (1, 'late', 1, 5, '\x01');
commit;

--! case f59_rows_with_the_generation_in_one_statement
--! role owner
--! expect HF003
--! hostile
with g as (insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 5, fixture.parent(1, 4), fixture.h('x'), fixture.h('x')) returning 1)
insert into change (zone, owner, type, plan, value) values (1, 'late', 1, 5, '\x01');

--! case f59_rows_of_a_plan_of_ones_own_after_its_generation
--! role owner
--! expect HF003
--! hostile
begin;
select fixture.name_it(1, fixture.stage(1, 3, 1, '{x}'));
insert into change (zone, owner, type, plan, value) select 1, 'late', 1, max(plan), '\x01'::bytea from plan;
commit;

--! case f59_rows_before_a_savepoint_is_undone
--! role owner
--! expect HF012
--! hostile
begin;
savepoint s;
insert into change (zone, owner, type, plan, value) values (1, '', 65536, 8, '\x00'), (1, 'x', 1, 8, '\x01');
rollback to s;
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 8, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));
commit;

--! case f59_a_stale_plan_after_a_fresh_one_in_one_statement
--! role owner
--! expect HF004
--! setup
select fixture.stage(1, 3, 1, '{open}');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest)
select 1, v.g, v.p, case v.g when 4 then fixture.parent(1, 4) else fixture.h('4') end, fixture.h(v.g::text), fixture.h('x') from (values (4, 5), (5, 12)) v (g, p);

--! case f59_two_generations_in_one_statement
--! role owner
--! expect none
--! setup
select fixture.stage(1, 3, 1, '{unlike}');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest)
select 1, v.g, v.p, case v.g when 4 then fixture.parent(1, 4) else fixture.h('4') end, fixture.h(v.g::text), fixture.h('x') from (values (5, 12), (4, 5)) v (g, p);
--! then
select max(generation) = 5 from generation where zone_group = 1;

--! case f59_no_number_is_skipped
--! role owner
--! expect HF006
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 5, 5, fixture.parent(1, 5), fixture.h('x'), fixture.h('x'));

--! case f59_nor_is_there_a_zeroth
--! role owner
--! expect HF006
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (2, 0, 9, fixture.parent(2, 0), fixture.h('x'), fixture.h('x'));

--! case f59_an_empty_plan
--! role owner
--! expect HF012
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 8, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));

--! case f59_a_plan_that_only_touches
--! role owner
--! expect HF012
--! setup
insert into change (zone, owner, type, plan, value) values (1, '', 65536, 8, '\x00');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 8, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));

--! case f59_the_plan_of_another_group
--! role owner
--! expect HF014
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 9, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));

--! case f59_a_zone_of_another_group
--! role owner
--! expect HF007
--! hostile
insert into change (zone, owner, type, plan, value) values (3, '', 65536, 5, '\x00'), (3, 'x', 1, 5, '\x01');

--! case f59_a_read_in_another_group
--! role owner
--! expect HF007
--! hostile
insert into plan_read (plan, zone, owner) values (5, 3, 'www');

--! case f59_a_zone_that_is_not_touched
--! role owner
--! expect HF011
--! hostile
insert into change (zone, owner, type, plan, value) values (2, 'x', 1, 5, '\x01');

--! case f59_a_zone_that_does_not_exist
--! role owner
--! expect HF016
--! hostile
insert into change (zone, owner, type, plan, value) values (99, '', 65536, 5, '\x00');

--! case f59_a_plan_that_does_not_exist
--! role owner
--! expect HF015
--! hostile
insert into change (zone, owner, type, plan, value) values (1, 'x', 1, 99, '\x01');

--! case f59_a_group_that_does_not_exist
--! role owner
--! expect HF016
--! hostile
select fixture.stage(99, 0, 1, '{x}');

--! case f59_a_token_that_does_not_exist
--! role owner
--! expect HF016
--! hostile
select fixture.stage(1, 3, 1, '{x}', '{}', 99);

--! case f59_a_base_above_the_tip
--! role owner
--! expect HF005
--! hostile
select fixture.stage(1, 4, 1, '{x}');

--! case f59_a_number_is_not_chosen
--! role owner
--! expect none
--! hostile
insert into plan (plan, zone_group, base, digest_delta, changes, added, replaced, deleted, absent) values (2000, 1, 3, fixture.h('x'), 0, 0, 0, 0, 0);
--! then
select max(plan) = 12 from plan;

--! case f59_numbers_rise
--! role owner
--! expect HF018
--! setup
select fixture.name_it(1, 5);
delete from plan where plan = 6;
delete from change where plan = 6;
select setval('plan_number', 12);
select fixture.name_it(1, fixture.stage(1, 4, 1, '{z}'));
select setval('plan_number', 5);
select fixture.stage(1, 5, 1, '{z}');
--! hostile
select fixture.name_it(1, 6);

--! case f59_a_number_does_not_inherit
--! role owner
--! expect HF003
--! setup
delete from plan where plan = 6;
select setval('plan_number', 5);
--! hostile
insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) values (1, 3, fixture.h('x'), 0, 0, 0, 0, 0);

--! case f60_a_change_under_an_old_snapshot
--! role owner
--! expect HF001
--! hostile
begin isolation level repeatable read;
insert into change (zone, owner, type, plan, value) values (1, 'x', 1, 5, '\x01');
commit;

--! case f60_a_read_under_an_old_snapshot
--! role owner
--! expect HF001
--! hostile
begin isolation level repeatable read;
insert into plan_read (plan, zone, owner) values (5, 1, 'x');
commit;

--! case f60_a_plan_under_an_old_snapshot
--! role owner
--! expect HF001
--! hostile
begin isolation level repeatable read;
insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) values (1, 3, fixture.h('x'), 0, 0, 0, 0, 0);
commit;

--! case f60_a_generation_under_an_old_snapshot
--! role owner
--! expect HF001
--! hostile
begin isolation level serializable;
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 5, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'));
commit;

--! case f60_a_key_under_an_old_snapshot
--! role owner
--! expect HF001
--! hostile
begin isolation level repeatable read;
insert into idempotency_key (token, key, body_hash, plan) values (1, 'k', fixture.h('x'), 5);
commit;

--! case f60_a_move_under_an_old_snapshot
--! role enact
--! expect HF001
--! hostile
begin isolation level repeatable read;
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 3, 'x') on conflict do nothing;
commit;

--! case f60_clean_up_under_an_old_snapshot
--! role owner
--! expect HF001
--! hostile
begin isolation level repeatable read;
delete from head_move where zone_group = 1 and generation = 1;
commit;

--! case f60_giving_up_under_an_old_snapshot
--! role owner
--! expect HF001
--! hostile
begin isolation level repeatable read;
delete from plan where plan = 6;
commit;

--! case f60_the_door_is_not_called_inside
--! role admit
--! expect 2D000
--! hostile
begin;
call fixture.admit(1, 5, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null);
commit;

--! case move_below_the_floor
--! role enact
--! expect HF009
--! setup
delete from head_move where zone_group = 1 and generation < 3;
update zone_group set floor = 3 where zone_group = 1;
--! hostile
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 2, 'e');

--! case a_move_to_what_does_not_exist
--! role enact
--! expect 23503
--! hostile
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e');

--! case a_zone_stays_in_its_group
--! role owner
--! expect HF002
--! hostile
update zone set zone_group = 2 where zone = 1;

--! case a_zone_in_use_stays
--! role owner
--! expect HF019
--! hostile
delete from zone where zone = 1;

--! case a_zone_that_only_a_staged_plan_uses_stays
--! role owner
--! expect HF019
--! setup
select fixture.stage(2, 1, 4, '{x}');
--! hostile
delete from zone where zone = 4;

--! case an_unused_zone_may_go
--! role owner
--! expect none
--! hostile
delete from zone where zone = 4;

--! case a_token_does_not_live_again
--! role admit
--! expect HF002
--! hostile
update token set ended = null where token = 2;

--! case a_token_does_not_rise
--! role owner
--! expect HF002
--! hostile
update token set role = 'admin', ended = now() where token = 1;

--! case a_token_ends_once
--! role owner
--! expect HF002
--! hostile
update token set ended = now() where token = 2;

--! case a_token_stays
--! role owner
--! expect HF002
--! hostile
delete from token where token = 2;

--! case a_token_may_end
--! role admit
--! expect none
--! hostile
update token set ended = now() where token = 1;

--! case f58_a_server_under_anothers_login
--! role serve
--! expect 42501
--! hostile
insert into server (server, instance, ring, login) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet', 'somebody');

--! case f58_anothers_row_is_not_seen
--! role serve
--! expect none
--! setup
insert into server (server, instance, ring, login) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet', 'somebody');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 3, fixture.h('x'));
--! hostile
update server set seen = now() + interval '1 year', fault = 'forged';
delete from report;
delete from server;
--! then
select count(*) = 1 and bool_and(s.fault is null) and count(r) = 1 from server s join report r using (server, instance);

--! case f58_a_report_for_anothers_server
--! role serve
--! expect 42501
--! setup
insert into server (server, instance, ring, login) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet', 'somebody');
--! hostile
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 3, fixture.h('x'));

--! case f58_a_report_of_ones_own
--! role serve
--! expect none
--! hostile
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 2, sha256('x'));
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 3, sha256('y'))
    on conflict (server, instance, zone_group) do update set generation = excluded.generation, id = excluded.id, at = now();
update server set seen = now() where server = 's1';
--! then
select count(*) = 1 and min(generation) = 3 from report;

--! case f58_a_restarted_server_clears_its_old_instance
--! role serve
--! expect none
--! hostile
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 2, sha256('x'));
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000002', 'fleet');
delete from server where server = 's1' and instance <> '00000000-0000-0000-0000-000000000002';
--! then
select count(*) = 1 and not exists (select from report) from server;

--! case f58_no_server_takes_another_login
--! role serve
--! expect 42501
--! hostile
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
update server set login = 'somebody' where server = 's1';

--! case a_server_reads_only_the_views
--! role serve
--! expect 42501
--! hostile
select * from change;

--! case a_server_writes_nothing_through_them
--! role serve
--! expect 42501
--! hostile
insert into serving_zone (name, zone_group) values ('x.', 1);

--! case the_api_updates_nothing
--! role admit
--! expect 42501
--! hostile
update plan set base = 3 where plan = 7;

--! case the_api_deletes_nothing
--! role admit
--! expect 42501
--! hostile
delete from change where plan = 6;

--! case the_api_moves_nothing
--! role admit
--! expect 42501
--! hostile
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 3, 'x');

--! case the_api_chooses_no_number
--! role admit
--! expect 42501
--! hostile
insert into plan (plan, zone_group, base, digest_delta, changes, added, replaced, deleted, absent) values (2000, 1, 3, fixture.h('x'), 0, 0, 0, 0, 0);

--! case the_api_draws_no_number
--! role admit
--! expect 42501
--! hostile
select nextval('plan_number');

--! case the_api_hides_no_table
--! role admit
--! expect 42501
--! hostile
create temporary table generation (zone_group bigint, generation bigint, plan bigint);

--! case an_enactor_admits_nothing
--! role enact
--! expect 42501
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 5, fixture.parent(1, 4), sha256('x'), sha256('x'));

--! case an_enactor_deletes_no_move
--! role enact
--! expect 42501
--! hostile
delete from head_move where generation = 1;

--! case a_reader_sees_no_hash
--! role read
--! expect 42501
--! hostile
select hash from token;

--! case a_reader_sees_no_key
--! role read
--! expect 42501
--! hostile
select * from idempotency_key;

--! case nobody_calls_the_door_by_being_public
--! role read
--! expect 42501
--! hostile
call fixture.admit(1, 5, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, sha256('x'), sha256('x'), null, null);

--! case f46_a_freeze_holds_the_head
--! role enact
--! expect HF022
--! setup
select fixture.name_it(1, 5);
call freeze(1, null, 'freeze', 'incident', 1, 'planner', null, null);
--! hostile
call enact('fleet', array [1, 2], array [4, 1], null, 'e', null);

--! case f46_also_against_a_plain_insert
--! role owner
--! expect HF022
--! setup
select fixture.name_it(1, 5);
call freeze(1, 'fleet', 'auditor', 'servers disagree', null, 'auditor', now() + interval '1 hour', null);
--! hostile
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'x');

--! case f46_everything_is_frozen
--! role owner
--! expect HF022
--! setup
select fixture.name_it(1, 5);
call freeze(null, null, 'freeze', 'incident', 1, 'planner', null, null);
--! hostile
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'x');

--! case f46_another_group_is_not_frozen
--! role enact
--! expect none
--! setup
select fixture.name_it(2, 9);
call freeze(1, null, 'freeze', 'incident', 1, 'planner', null, null);
insert into ring (ring) values ('delayed');
call freeze(2, 'delayed', 'freeze', 'incident', 1, 'planner', null, null);
--! hostile
call enact('fleet', array [2], array [2], '[["s1"]]', 'e', null);
--! then
select max(generation) = 2 from head_move where zone_group = 2 and ring = 'fleet';

--! case f46_a_thaw_ends_it_and_the_log_tells
--! role admit
--! expect none
--! setup
select fixture.name_it(1, 5);
call freeze(1, null, 'freeze', 'incident', 1, 'planner', null, null);
call freeze(1, 'fleet', 'freeze', 'another', 1, 'planner', null, null);
--! hostile
call thaw(1, null, 'over', 1, 'planner', null);
call thaw(1, 'fleet', 'over too', 1, 'planner', null);
--! then
select not exists (select from stop) and array_agg(act order by audit) = '{freeze,freeze,thaw,thaw}' and bool_and(zone_group = 1 and by = 'planner' and token = 1) from audit;

--! case f46_thawing_everything_leaves_a_groups_own_freeze
--! role admit
--! expect none
--! setup
call freeze(1, null, 'freeze', 'incident', 1, 'planner', null, null);
--! hostile
call thaw(null, null, 'over', 1, 'planner', null);
--! then
select count(*) = 1 from stop;

--! case f46_its_own_end_ends_it
--! role owner
--! expect none
--! setup
select fixture.name_it(1, 5);
call freeze(1, null, 'freeze', 'incident', 1, 'planner', clock_timestamp() + interval '0.1 s', null);
select pg_sleep(0.2);
--! hostile
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'x');

--! case f46_a_freeze_that_is_over_already
--! role admit
--! expect HF021
--! hostile
call freeze(1, null, 'freeze', 'incident', 1, 'planner', clock_timestamp() - interval '1 s', null);

--! case f46_a_stop_is_not_given_another_end
--! role owner
--! expect HF002
--! setup
call freeze(1, null, 'freeze', 'incident', 1, 'planner', null, null);
--! hostile
update stop set until = now();

--! case f46_stops_are_not_truncated
--! role owner
--! expect HF002
--! hostile
truncate stop;

--! case f46_an_enactor_does_not_thaw
--! role enact
--! expect 42501
--! hostile
delete from stop;

--! case f46_nor_does_a_server_freeze
--! role serve
--! expect 42501
--! hostile
insert into stop (kind, reason, by) values ('freeze', 'x', 'x');

--! case f57_a_rollback_goes_through_a_freeze
--! role enact
--! expect none
--! setup
insert into plan (zone_group, base, kind, through_freeze, rolled_back_to, digest_delta, changes, added, replaced, deleted, absent) values (1, 3, 'rollback', true, 2, fixture.h('x'), 1, 0, 1, 0, 0);
insert into change (zone, owner, type, plan, value) select 1, o, t, max(plan), '\x01'::bytea from plan, (values ('', 65536), ('www', 1)) v (o, t) group by o, t;
select fixture.name_it(1, max(plan)) from plan;
call freeze(1, null, 'freeze', 'incident', 1, 'planner', null, null);
call freeze(null, null, 'auditor', 'servers disagree', null, 'auditor', null, null);
--! hostile
call enact('fleet', array [1], array [4], null, 'e', null);
--! then
select max(generation) = 4 from head_move where zone_group = 1;

--! case f57_nothing_but_a_rollback_does
--! role admit
--! expect HF021
--! hostile
insert into plan (zone_group, base, kind, through_freeze, digest_delta, changes, added, replaced, deleted, absent) values (1, 3, 'change', true, fixture.h('x'), 1, 0, 1, 0, 0);

--! case f60_no_freeze_under_an_old_snapshot
--! role admit
--! expect HF001
--! hostile
begin isolation level repeatable read;
insert into stop (kind, reason, by) values ('freeze', 'x', 'x');

--! case f60_no_thaw_under_an_old_snapshot
--! role owner
--! expect HF001
--! hostile
begin isolation level serializable;
delete from stop;

--! case f45_the_log_is_not_rewritten
--! role owner
--! expect HF002
--! setup
call freeze(1, null, 'freeze', 'incident', 1, 'planner', null, null);
--! hostile
update audit set by = 'somebody else';

--! case f45_nothing_goes_from_the_log
--! role owner
--! expect HF002
--! hostile
delete from audit;

--! case f45_the_log_is_not_truncated
--! role owner
--! expect HF002
--! hostile
truncate audit;

--! case f45_an_act_is_not_dated_back
--! role owner
--! expect none
--! hostile
insert into audit (at, by, act) values (now() - interval '1 year', 'x', 'freeze');
--! then
select at > now() - interval '1 minute' from audit;

--! case f45_nobody_chooses_the_hour_or_the_number
--! role admit
--! expect 42501
--! hostile
insert into audit (at, by, act) values (now(), 'x', 'freeze');

--! case f52_a_verdict_is_not_changed
--! role owner
--! expect HF002
--! setup
insert into verdict (zone_group, generation, passed, why, by) values (1, 3, false, 'a server was lost', 'e');
--! hostile
update verdict set passed = true;

--! case f52_a_verdict_does_not_go
--! role owner
--! expect HF037
--! setup
insert into verdict (zone_group, generation, passed, why, by) values (1, 3, false, 'a server was lost', 'e');
--! hostile
delete from verdict;

--! case f52_verdicts_are_not_truncated
--! role owner
--! expect HF002
--! hostile
truncate verdict;

--! case enact_names_the_servers_that_are_to_prove
--! role enact
--! expect none
--! setup
select fixture.name_it(1, 5); select fixture.name_it(2, 9);
--! hostile
call enact('fleet', array [2, 1], array [2, 4], '[null, ["s1", "s2"]]', 'e', null);
--! then
select (select expected is null from head_move where zone_group = 2 and generation = 2) and (select expected = '{s1,s2}' from head_move where zone_group = 1 and generation = 4);

--! case enact_with_servers_for_too_few_groups
--! role enact
--! expect HF013
--! hostile
call enact('fleet', array [1, 2], array [3, 1], '[["s1"]]', 'e', null);

--! case f33_no_ring_goes_to_a_generation_that_failed
--! role enact
--! expect HF026
--! setup
select fixture.name_it(1, 5);
call fail(1, 4, 'a server was lost', 1, 'planner');
--! hostile
call enact('fleet', array [1], array [4], null, 'e', null);

--! case f33_nor_does_the_first_of_several
--! role owner
--! expect HF026
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call fail(1, 4, 'a server was lost', 1, 'planner');
--! hostile
insert into head_move (zone_group, ring, generation, by, expected) values (1, 'canary', 4, 'e', '{s1}');

--! case f33_failed_outweighs_passed
--! role enact
--! expect HF026
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call enact('canary', array [1], array [4], '[["s1"]]', 'e', null);
call judge('{1}', '{4}', '{true}', '{three heartbeats}', 'e', fixture.ids('{1}', '{4}'));
call judge('{1,1}', '{4,4}', '{false,true}', '{a fault,late}', 'e', fixture.ids('{1,1}', '{4,4}'));
--! hostile
call enact('fleet', array [1], array [4], null, 'e', null);

--! case f52_a_later_ring_waits_for_the_verdict
--! role enact
--! expect HF025
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call enact('canary', array [1], array [4], '[["s1"]]', 'e', null);
--! hostile
call enact('fleet', array [1], array [4], null, 'e', null);

--! case f52_what_passed_is_taken
--! role enact
--! expect none
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call enact('canary', array [1], array [4], '[["s1"]]', 'e', null);
--! hostile
call judge('{1}', '{4}', '{true}', '{three heartbeats}', 'e', fixture.ids('{1}', '{4}'));
call enact('fleet', array [1], array [4], null, 'e', null);
--! then
select max(generation) = 4 from head_move where ring = 'fleet' and zone_group = 1;

--! case f52_not_before_its_delay_is_over
--! role enact
--! expect HF025
--! setup
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call set_ring('fleet', null, null, '1 hour', null, 'on purpose', 1, 'planner');
select fixture.name_it(1, 5);
call enact('canary', array [1], array [4], '[["s1"]]', 'e', null);
call judge('{1}', '{4}', '{true}', '{three heartbeats}', 'e', fixture.ids('{1}', '{4}'));
--! hostile
call enact('fleet', array [1], array [4], null, 'e', null);

--! case f52_a_verdict_is_not_dated_back
--! role owner
--! expect HF025
--! setup
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call set_ring('fleet', null, null, '1 hour', null, 'on purpose', 1, 'planner');
select fixture.name_it(1, 5);
call enact('canary', array [1], array [4], '[["s1"]]', 'e', null);
--! hostile
insert into verdict (zone_group, generation, passed, why, by, at) values (1, 4, true, 'x', 'e', now() - interval '1 day');
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e');

--! case f52_nothing_passes_that_the_first_ring_did_not_serve
--! role enact
--! expect HF027
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call set_ring('delayed', false, '0', '0', 1, 'prove first', 1, 'planner');
--! hostile
call judge('{1}', '{4}', '{true}', '{invented}', 'e', fixture.ids('{1}', '{4}'));

--! case f52_a_move_of_a_later_ring_proves_nothing
--! role owner
--! expect HF027
--! setup
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
--! hostile
insert into verdict (zone_group, generation, passed, why, by) values (1, 3, true, 'it is the head of fleet', 'e');

--! case f52_no_servers_prove_nothing
--! role owner
--! expect HF027
--! setup
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call enact('canary', array [1], array [3], '[[]]', 'e', null);
--! hostile
insert into verdict (zone_group, generation, passed, why, by) values (1, 3, true, 'all of no servers', 'e');

--! case f52_too_few_servers_prove_nothing
--! role owner
--! expect HF027
--! setup
call set_ring('canary', true, '0', '0', 2, 'prove first', 1, 'planner');
call enact('canary', array [1], array [3], '[["s1"]]', 'e', null);
--! hostile
insert into verdict (zone_group, generation, passed, why, by) values (1, 3, true, 'all of too few', 'e');

--! case f57_no_ring_goes_to_a_generation_that_was_rolled_back
--! role enact
--! expect HF026
--! setup
select fixture.name_it(1, 5);
select fixture.name_it(1, fixture.put(1, 4, 1, '{www}', '{1}', '{0}', array [fixture.addresses(1)], 'rollback', 3));
--! hostile
call enact('fleet', array [1], array [4], null, 'e', null);

--! case f57_the_rollback_itself_is_enacted
--! role enact
--! expect none
--! setup
select fixture.name_it(1, 5);
select fixture.name_it(1, fixture.put(1, 4, 1, '{www}', '{1}', '{0}', array [fixture.addresses(1)], 'rollback', 3));
--! hostile
call enact('fleet', array [1], array [5], null, 'e', null);
--! then
select max(generation) = 5 from head_move where zone_group = 1;

--! case f52_servers_that_came_later_prove_as_well
--! role enact
--! expect none
--! setup
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call enact('canary', array [1], array [3], '[[]]', 'e', null);
insert into server (server, instance, ring) values ('s9', '00000000-0000-0000-0000-000000000001', 'canary');
insert into report (server, instance, zone_group, generation, id) select 's9', '00000000-0000-0000-0000-000000000001', 1, 3, id from generation where zone_group = 1 and generation = 3;
--! hostile
call judge('{1}', '{3}', '{true}', '{three heartbeats}', 'e', fixture.ids('{1}', '{3}'));

--! case f52_servers_of_another_ring_prove_nothing
--! role enact
--! expect HF027
--! setup
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call enact('canary', array [1], array [3], '[[]]', 'e', null);
insert into server (server, instance, ring) values ('s9', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) select 's9', '00000000-0000-0000-0000-000000000001', 1, 3, id from generation where zone_group = 1 and generation = 3;
--! hostile
call judge('{1}', '{3}', '{true}', '{three heartbeats}', 'e', fixture.ids('{1}', '{3}'));

--! case f58_a_server_reports_faults_as_itself_only
--! role serve
--! expect 42501
--! setup
insert into server (server, instance, ring) values ('s9', '00000000-0000-0000-0000-000000000001', 'fleet');
--! hostile
insert into fault (server, instance, zone_group, generation, id, why) values ('s9', '00000000-0000-0000-0000-000000000001', 1, 3, sha256('x'), 'forged');

--! case faults_are_not_truncated
--! role owner
--! expect HF002
--! hostile
truncate fault;

--! case f52_as_few_as_no_servers_cannot_be_asked_for
--! role admit
--! expect 23514
--! hostile
call set_ring('canary', true, '0', '0', 0, 'prove first', 1, 'planner');

--! case f52_the_first_ring_says_who_is_to_prove
--! role enact
--! expect HF025
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
--! hostile
call enact('canary', array [1], array [4], null, 'e', null);

--! case f52_people_do_not_pass_generations
--! role admit
--! expect 42501
--! hostile
insert into verdict (zone_group, generation, passed, why, by) values (1, 3, true, 'x', 'somebody');

--! case f52_judging_with_lists_of_unlike_length
--! role enact
--! expect HF013
--! hostile
call judge('{1,2}', '{3,1}', '{true}', '{x,y}', 'e', fixture.ids('{1,2}', '{3,1}'));

--! case f60_no_verdict_under_an_old_snapshot
--! role enact
--! expect HF001
--! hostile
begin isolation level repeatable read;
insert into verdict (zone_group, generation, passed, why, by) values (1, 3, true, 'x', 'e');

--! case f60_no_ring_under_an_old_snapshot
--! role owner
--! expect HF001
--! hostile
begin isolation level repeatable read;
update ring set soak = '1 s';

--! case f22_a_ring_without_a_move_does_not_begin_with_the_tip
--! role enact
--! expect HF025
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call set_ring('delayed', false, '0', '1 hour', 1, 'later', 1, 'planner');
--! hostile
call enact('delayed', array [1], array [4], null, 'e', null);

--! case f22_nor_with_what_the_first_ring_is_proving
--! role enact
--! expect HF025
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call set_ring('delayed', false, '0', '1 hour', 1, 'later', 1, 'planner');
call enact('canary', array [1], array [4], '[["s1"]]', 'e', null);
insert into server (server, instance, ring) values ('s9', '00000000-0000-0000-0000-000000000001', 'delayed');
insert into report (server, instance, zone_group, generation, id) select 's9', '00000000-0000-0000-0000-000000000001', 1, 4, id from generation where zone_group = 1 and generation = 4;
--! hostile
call enact('delayed', array [1], array [4], null, 'e', null);

--! case f22_a_ring_without_a_move_begins_where_another_is
--! role enact
--! expect none
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call set_ring('delayed', false, '0', '1 hour', 1, 'later', 1, 'planner');
--! hostile
call enact('delayed', array [1], array [3], null, 'e', null);
--! then
select generation = 3 from head_move where ring = 'delayed';

--! case f22_or_with_what_passed_just_now
--! role enact
--! expect none
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call set_ring('delayed', false, '0', '1 hour', 1, 'later', 1, 'planner');
call enact('canary', array [1], array [4], '[["s1"]]', 'e', null);
call judge('{1}', '{4}', '{true}', '{three heartbeats}', 'e', fixture.ids('{1}', '{4}'));
--! hostile
call enact('delayed', array [1], array [4], null, 'e', null);

--! case f22_or_with_what_its_servers_report
--! role enact
--! expect none
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call set_ring('delayed', false, '0', '1 hour', 1, 'later', 1, 'planner');
insert into server (server, instance, ring) values ('s9', '00000000-0000-0000-0000-000000000001', 'delayed');
insert into report (server, instance, zone_group, generation, id) select 's9', '00000000-0000-0000-0000-000000000001', 1, 4, id from generation where zone_group = 1 and generation = 4;
--! hostile
call enact('delayed', array [1], array [4], null, 'e', null);

--! case f22_not_with_what_servers_of_another_ring_report
--! role enact
--! expect HF025
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call set_ring('delayed', false, '0', '1 hour', 1, 'later', 1, 'planner');
insert into server (server, instance, ring) values ('s9', '00000000-0000-0000-0000-000000000001', 'canary');
insert into report (server, instance, zone_group, generation, id) select 's9', '00000000-0000-0000-0000-000000000001', 1, 4, id from generation where zone_group = 1 and generation = 4;
--! hostile
call enact('delayed', array [1], array [4], null, 'e', null);

--! case f22_nor_when_it_moved_before
--! role enact
--! expect HF025
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
insert into server (server, instance, ring) values ('s9', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) select 's9', '00000000-0000-0000-0000-000000000001', 1, 4, id from generation where zone_group = 1 and generation = 4;
--! hostile
call enact('fleet', array [1], array [4], null, 'e', null);

--! case rings_two_are_not_first
--! role owner
--! expect HF028
--! hostile
insert into ring (ring, first) values ('canary', true);

--! case rings_one_is_first
--! role owner
--! expect HF028
--! hostile
update ring set first = false;

--! case rings_the_last_does_not_end
--! role admit
--! expect HF028
--! hostile
call end_ring('fleet', 'x', 1, 'planner');

--! case rings_the_first_of_three_does_not_end
--! role admit
--! expect HF028
--! setup
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call set_ring('delayed', false, '0', '0', 1, 'later', 1, 'planner');
--! hostile
call end_ring('canary', 'x', 1, 'planner');

--! case rings_the_one_that_is_left_is_alone_and_needs_no_verdict
--! role admit
--! expect none
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call enact('canary', array [1], array [3], '[["s1"]]', 'e', null);
--! hostile
call end_ring('canary', 'no more', 1, 'planner');

--! then
select first and (select first is false and ended is not null from ring where ring = 'canary') and (select count(*) = 1 from head_move where ring = 'canary')
    and (select array_agg(act order by audit) = '{set-ring,end-ring}' from audit) from ring where ring = 'fleet';

--! case rings_who_is_alone_needs_no_verdict
--! role enact
--! expect none
--! setup
select fixture.name_it(1, 5);
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call end_ring('canary', 'no more', 1, 'planner');
--! hostile
call enact('fleet', array [1], array [4], null, 'e', null);
--! then
select max(generation) = 4 from head_move where zone_group = 1;

--! case rings_one_that_ended_does_not_move
--! role enact
--! expect HF028
--! setup
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call end_ring('canary', 'no more', 1, 'planner');
--! hostile
call enact('canary', array [1], array [3], '[["s1"]]', 'e', null);

--! case rings_one_that_ended_does_not_come_back_with_its_moves
--! role admit
--! expect HF028
--! setup
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call enact('canary', array [1], array [2], '[["s1"]]', 'e', null);
call end_ring('canary', 'no more', 1, 'planner');
--! hostile
call set_ring('canary', false, '0', '0', 1, 'again', 1, 'planner');

--! case rings_without_moves_it_does
--! role owner
--! expect none
--! setup
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call enact('canary', array [1], array [2], '[["s1"]]', 'e', null);
call end_ring('canary', 'no more', 1, 'planner');
--! hostile
delete from head_move where ring = 'canary';
call set_ring('canary', true, '1 min', null, null, 'again', 1, 'planner');
--! then
select first and ended is null and soak = '1 min' and not (select first from ring where ring = 'fleet') from ring where ring = 'canary';

--! case rings_one_that_ended_is_no_door_to_the_heads_of_others
--! role owner
--! expect HF010
--! setup
call set_ring('canary', true, '0', '0', 1, 'prove first', 1, 'planner');
call enact('canary', array [1], array [2], '[["s1"]]', 'e', null);
call end_ring('canary', 'no more', 1, 'planner');
--! hostile
delete from head_move where generation >= 2;

--! case rings_are_not_renamed
--! role owner
--! expect HF028
--! setup
insert into ring (ring) values ('delayed');
--! hostile
update ring set ring = 'later' where ring = 'delayed';

--! case rings_do_not_go
--! role owner
--! expect HF002
--! hostile
delete from ring;

--! case rings_are_not_truncated
--! role owner
--! expect HF002
--! hostile
truncate ring cascade;

--! case rings_an_unknown_one_does_not_end
--! role admit
--! expect HF029
--! hostile
call end_ring('nowhere', 'x', 1, 'planner');

--! case a_server_is_forgotten
--! role admit
--! expect none
--! setup
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet'), ('s1', '00000000-0000-0000-0000-000000000002', 'fleet'), ('s2', '00000000-0000-0000-0000-000000000003', 'fleet');
--! hostile
call forget_server('s1', 'burnt down', 1, 'planner');
--! then
select count(*) filter (where forgotten is not null) = 2 and (select act = 'forget-server' from audit) from server;

--! case an_unknown_server_is_not_forgotten
--! role admit
--! expect HF029
--! hostile
call forget_server('s1', 'burnt down', 1, 'planner');

--! case a_server_does_not_forget_itself
--! role serve
--! expect 42501
--! setup
insert into server (server, instance, ring, login) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet', 'hostile_serve');
--! hostile
update server set forgotten = now();

--! case f08_a_report_above_the_tip_stops_the_group
--! role serve
--! expect none
--! hostile
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lost')), ('s1', '00000000-0000-0000-0000-000000000001', 2, 1, fixture.h('id4'));
--! then
select count(*) = 1 and bool_and(kind = 'history-behind' and zone_group = 1 and ring is null and until is null and by = 's1') and (select count(*) = 2 from report) from stop;

--! case f08_once
--! role serve
--! expect none
--! setup
insert into server (server, instance, ring, login) values ('s2', '00000000-0000-0000-0000-000000000002', 'fleet', 'somebody');
insert into report (server, instance, zone_group, generation, id) values ('s2', '00000000-0000-0000-0000-000000000002', 1, 60, fixture.h('lost'));
--! hostile
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 3, fixture.h('id3'));
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 61, fixture.h('more'))
    on conflict (server, instance, zone_group) do update set generation = excluded.generation, id = excluded.id, at = now();
--! then
select count(*) = 1 and bool_and(by = 's2') and (select count(*) = 2 from report) from stop;

--! case f08_a_known_number_with_another_id_stops_the_group
--! role serve
--! expect none
--! setup
insert into server (server, instance, ring, login) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet', 'hostile_serve');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 3, fixture.h('id3'));
--! hostile
update report set id = fixture.h('of a fork');
--! then
select count(*) = 1 and bool_and(kind = 'history-behind' and zone_group = 1) from stop;

--! case f08_what_is_known_stops_nothing
--! role serve
--! expect none
--! hostile
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 2, fixture.h('id2')), ('s1', '00000000-0000-0000-0000-000000000001', 99, 2, fixture.h('x'));
--! then
select not exists (select from stop);

--! case f08_nothing_is_admitted_behind
--! role admit
--! expect HF023
--! setup
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lost'));
--! hostile
call fixture.admit(1, 5, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null);

--! case f08_other_groups_go_on
--! role owner
--! expect none
--! setup
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lost'));
--! hostile
select fixture.name_it(2, 9);
insert into head_move (zone_group, ring, generation, by) values (2, 'fleet', 2, 'e');

--! case f08_no_head_moves_behind
--! role enact
--! expect HF022
--! setup
select fixture.name_it(1, 5);
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 4, fixture.h('another'));
--! hostile
call enact('fleet', array [1], array [4], null, 'e', null);

--! case f08_the_stop_is_not_taken_away_by_hand
--! role owner
--! expect HF024
--! setup
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lost'));
--! hostile
delete from stop;

--! case f08_nor_by_a_thaw
--! role admit
--! expect none
--! setup
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lost'));
call freeze(1, null, 'freeze', 'incident', 1, 'planner', null, null);
--! hostile
call thaw(1, null, 'over', 1, 'planner', null);
--! then
select count(*) = 1 and bool_and(kind = 'history-behind') and (select detail ->> 'thawed' = '1' from audit where act = 'thaw') from stop;

--! case f58_what_a_liar_reported_is_thawed_when_it_is_forgotten
--! role admit
--! expect none
--! setup
insert into server (server, instance, ring) values ('liar', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('liar', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lie'));
--! hostile
call forget_server('liar', 'it lies', 1, 'planner');
call thaw(1, null, 'it was a lie', 1, 'planner', null);
--! then
select not exists (select from stop);

--! case f08_a_number_that_servers_know_is_not_given_to_another_group
--! role owner
--! expect HF023
--! setup
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 3, 60, fixture.h('lost'));
insert into zone_group (name) values ('another');
insert into zone (name, zone_group) values ('another.', 3);
--! hostile
do $$
declare p bigint := fixture.stage(3, 0, (select zone from zone where name = 'another.'), '{www}');
begin
    insert into change (zone, owner, type, plan, value) select zone, '@', t, p, '\x01'::bytea from zone, (values (6), (2)) v (t) where name = 'another.';
    perform fixture.name_it(3, p);
end
$$;

--! case f58_one_name_under_two_logins
--! role serve
--! expect none
--! setup
insert into server (server, instance, ring, login) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet', 'somebody');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 3, fixture.h('id3'));
--! hostile
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000002', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000002', 1, 1, fixture.h('id1'));
update report set generation = 2;
delete from server where server = 's1' and instance <> '00000000-0000-0000-0000-000000000002';
--! then
select count(distinct login) = 2 and (select array_agg(generation order by instance) = '{3,2}' from report) from server where server = 's1';

--! case f58_nor_does_an_upsert_reach_anothers_report
--! role serve
--! expect 42501
--! setup
insert into server (server, instance, ring, login) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet', 'somebody');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 3, fixture.h('id3'));
--! hostile
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 1, fixture.h('id1'))
    on conflict (server, instance, zone_group) do update set generation = excluded.generation, id = excluded.id, at = now();

--! case f58_a_forged_verdict
--! role serve
--! expect 42501
--! hostile
insert into verdict (zone_group, generation, passed, why, by) values (1, 3, true, 'x', 's1');

--! case f57_no_rollback_goes_through_a_history_that_is_behind
--! role enact
--! expect HF022
--! setup
insert into plan (zone_group, base, kind, through_freeze, rolled_back_to, digest_delta, changes, added, replaced, deleted, absent) values (1, 3, 'rollback', true, 2, fixture.h('x'), 1, 0, 1, 0, 0);
insert into change (zone, owner, type, plan, value) select 1, o, t, max(plan), '\x01'::bytea from plan, (values ('', 65536), ('www', 1)) v (o, t) group by o, t;
select fixture.name_it(1, max(plan)) from plan;
insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet');
insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lost'));
--! hostile
call enact('fleet', array [1], array [4], null, 'e', null);

--! case f15_a_guarded_set_is_not_deleted
--! role owner
--! expect HF030
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{www}', '{1}', '{0}', array [null]::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f15_nor_shrunk_below_its_minimum
--! role owner
--! expect HF030
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{www}', '{1}', '{0}', array [fixture.addresses(1)]::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f15_nor_filled_with_what_is_no_record
--! role owner
--! expect HF030
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{www}', '{1}', '{0}', array ['\x0000003c000004c00002010004c0']::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f15_nor_through_the_door
--! role admit
--! expect HF030
--! setup
select fixture.guard_www();
--! hostile
call fixture.admit(1, null, 4, null, null, '[]', fixture.h('x'), '{1,0,0,1,0}', '{1,1}', '{"",www}', '{65536,1}', '{0,0}', array ['\x00', null]::bytea[], '{}', '{}', null, null, 5, fixture.h('x'), fixture.h('x'), null, null);

--! case f15_nor_with_a_set_that_is_only_staged
--! role owner
--! expect HF030
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{www}', '{1}', '{0}', array [null]::bytea[]);
select fixture.put(1, 4, 1, '{www}', '{1}', '{0}', array [fixture.addresses(3)]::bytea[]);
--! hostile
select fixture.name_it(1, max(plan) - 1) from plan;

--! case f15_nor_under_a_guard_whose_end_is_only_staged
--! role owner
--! expect HF030
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{www}', '{1}', '{0}', array [null]::bytea[]);
select fixture.put(1, 4, 1, '{www}', '{65538}', '{1}', array [null]::bytea[]);
--! hostile
select fixture.name_it(1, max(plan) - 1) from plan;

--! case f15_nor_by_a_large_plan
--! role owner
--! expect HF030
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{www,x}', '{1,1}', '{0,0}', array [null, fixture.addresses(1)]::bytea[], 'change', null, 5000);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f15_nor_by_a_plan_that_lies_about_its_size
--! role owner
--! expect HF030
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{n}', '{1}', '{0}', array [fixture.addresses(1)]::bytea[], 'change', null, 1);
insert into change (zone, owner, type, plan, value) select 1, 'n' || i, 1, (select max(plan) from plan), fixture.addresses(1) from generate_series(1, 2000) i;
insert into change (zone, owner, type, plan) select 1, 'www', 1, max(plan) from plan;
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f15_down_to_its_minimum_it_may_shrink
--! role owner
--! expect none
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{www}', '{1}', '{0}', array [fixture.addresses(2)]::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f15_other_sets_of_the_name_are_free
--! role owner
--! expect none
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{www}', '{16}', '{0}', array ['\x01']::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;
select fixture.put(1, 5, 1, '{www}', '{16}', '{0}', array [null]::bytea[]);
select fixture.name_it(1, max(plan)) from plan;

--! case f15_a_guard_holds_at_once
--! role owner
--! expect HF030
--! setup
select fixture.put(1, 3, 1, '{www}', '{65538}', '{28}', array ['\x0001']::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f15_a_guard_is_not_raised_above_what_stands
--! role owner
--! expect HF030
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{www}', '{65538}', '{1}', array ['\x0004']::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f15_a_large_plan_guards_only_what_stands
--! role owner
--! expect HF030
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{mail}', '{65538}', '{28}', array ['\x0001']::bytea[], 'change', null, 5000);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f15_a_guard_goes_with_its_set
--! role owner
--! expect none
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{www,www}', '{1,65538}', '{0,1}', array [null, null]::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f15_a_guard_comes_with_its_set
--! role owner
--! expect none
--! setup
select fixture.put(1, 3, 1, '{v6,v6}', '{28,65538}', '{0,28}', array [fixture.addresses(1), '\x0001']::bytea[], 'change', null, 5000);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f15_a_guard_that_guards_nothing_is_misshapen
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, 1, '{www}', '{65538}', '{1}', array ['\x0000']::bytea[]);

--! case f15_nor_are_there_guards_of_signatures
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, 1, '{www}', '{65538}', '{46}', array ['\x0001']::bytea[]);

--! case f15_what_cannot_be_read_as_a_count_is_misshapen
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, 1, '{www}', '{65538}', '{1}', array ['\x01']::bytea[]);

--! case f20_a_zone_is_ended_by_a_plan_that_says_so
--! role owner
--! expect none
--! setup
select fixture.put(1, 3, 2, '{@,@}', '{6,2}', '{0,0}', array [null, null]::bytea[], 'end-zone', null);
--! hostile
select fixture.name_it(1, max(plan)) from plan;
--! then
select count(*) = 2 from change where zone = 2 and owner = '@' and value is null;

--! case f20_a_change_does_not_end_a_zone
--! role owner
--! expect HF008
--! setup
select fixture.put(1, 3, 2, '{@,@}', '{6,2}', '{0,0}', array [null, null]::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f20_an_end_leaves_nothing
--! role owner
--! expect HF008
--! setup
select fixture.put(1, 3, 1, '{@,@}', '{6,2}', '{0,0}', array [null, null]::bytea[], 'end-zone', null);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f20_an_end_leaves_no_guard
--! role owner
--! expect HF008
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{@,@,www,mail,new}', '{6,2,1,1,1}', '{0,0,0,0,0}', array [null, null, null, null, null]::bytea[], 'end-zone', null);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f20_an_end_takes_guards_with_it
--! role owner
--! expect none
--! setup
select fixture.guard_www();
select fixture.put(1, 4, 1, '{@,@,www,mail,new,www}', '{6,2,1,1,1,65538}', '{0,0,0,0,0,1}', array [null, null, null, null, null, null]::bytea[], 'end-zone', null);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f20_an_end_is_not_one_of_the_ns_alone
--! role owner
--! expect HF008
--! setup
select fixture.put(1, 3, 2, '{@}', '{2}', '{0}', array [null]::bytea[], 'end-zone', null);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f20_an_ended_zone_takes_no_names
--! role owner
--! expect HF008
--! setup
select fixture.put(1, 3, 2, '{@,@}', '{6,2}', '{0,0}', array [null, null]::bytea[], 'end-zone', null);
select fixture.name_it(1, max(plan)) from plan;
select fixture.put(1, 4, 2, '{x}', '{1}', '{0}', array [fixture.addresses(1)]::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f20_an_ended_zone_begins_again
--! role owner
--! expect none
--! setup
select fixture.put(1, 3, 2, '{@,@}', '{6,2}', '{0,0}', array [null, null]::bytea[], 'end-zone', null);
select fixture.name_it(1, max(plan)) from plan;
select fixture.put(1, 4, 2, '{@,@}', '{6,2}', '{0,0}', array ['\x01', '\x01']::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case f20_a_rollback_ends_a_zone_that_had_not_begun
--! role owner
--! expect none
--! setup
select fixture.put(2, 1, 4, '{@,@}', '{6,2}', '{0,0}', array ['\x01', '\x01']::bytea[]);
select fixture.name_it(2, max(plan)) from plan;
select fixture.put(2, 2, 4, '{@,@}', '{6,2}', '{0,0}', array [null, null]::bytea[], 'rollback', 1);
--! hostile
select fixture.name_it(2, max(plan)) from plan;

--! case f20_a_rollback_ends_nothing_that_stood
--! role owner
--! expect HF008
--! setup
select fixture.put(1, 3, 2, '{@,@}', '{6,2}', '{0,0}', array [null, null]::bytea[], 'rollback', 2);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case a_rollback_goes_to_what_was
--! role owner
--! expect HF005
--! hostile
select fixture.put(1, 2, 1, '{x}', '{1}', '{0}', array [fixture.addresses(1)]::bytea[], 'rollback', 3);

--! case a_rollback_says_where_to
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, 1, '{x}', '{1}', '{0}', array [fixture.addresses(1)]::bytea[], 'rollback', null);

--! case nothing_else_says_where_to
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, 1, '{x}', '{1}', '{0}', array [fixture.addresses(1)]::bytea[], 'change', 1);

--! case there_are_four_kinds
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, 1, '{x}', '{1}', '{0}', array [fixture.addresses(1)]::bytea[], 'force', null);

--! case f46_only_a_rollback_goes_through_a_freeze
--! role owner
--! expect HF021
--! hostile
insert into plan (zone_group, base, through_freeze, digest_delta, changes, added, replaced, deleted, absent) values (1, 3, true, fixture.h('x'), 1, 1, 0, 0, 0);

--! case f08_a_raise_begins_an_epoch
--! role admit
--! expect none
--! setup
select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 1000000000, (select max(plan) from plan), fixture.parent(1, 1000000000), fixture.h('1000000000'), fixture.h('x');
--! then
select max(generation) = 1000000000 from generation where zone_group = 1;

--! case f08_any_greater_epoch_will_do
--! role owner
--! expect none
--! setup
select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 7000000000, (select max(plan) from plan), fixture.parent(1, 7000000000), fixture.h('7000000000'), fixture.h('x');

--! case f08_a_raise_begins_at_the_epoch
--! role owner
--! expect HF006
--! setup
select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 1000000001, (select max(plan) from plan), fixture.parent(1, 1000000001), fixture.h('1000000001'), fixture.h('x');

--! case f08_a_raise_is_not_the_next_number
--! role owner
--! expect HF006
--! setup
select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 4, (select max(plan) from plan), fixture.parent(1, 4), fixture.h('4'), fixture.h('x');

--! case f08_a_change_begins_no_epoch
--! role owner
--! expect HF006
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 1000000000, 5, fixture.parent(1, 1000000000), fixture.h('1000000000'), fixture.h('x');

--! case f08_a_raise_is_made_on_the_tip
--! role owner
--! expect HF004
--! setup
select fixture.put(1, 2, 1, '{}', '{}', '{}', '{}', 'raise');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 1000000000, (select max(plan) from plan), fixture.parent(1, 1000000000), fixture.h('1000000000'), fixture.h('x');

--! case f08_a_group_without_history_has_no_epoch
--! role owner
--! expect HF006
--! setup
insert into zone_group (name) values ('c');
select fixture.put(3, 0, 1, '{}', '{}', '{}', '{}', 'raise');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) select 3, 1000000000, (select max(plan) from plan), fixture.parent(3, 1000000000), fixture.h('1000000000'), fixture.h('x');

--! case f08_a_generation_follows_what_it_was_decided_on
--! role admit
--! expect HF038
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 5, fixture.h('id of another 3'), fixture.h('4'), fixture.h('x'));

--! case f08_a_generation_says_what_it_follows
--! role admit
--! expect HF038
--! hostile
insert into generation (zone_group, generation, plan, id, digest) values (1, 4, 5, fixture.h('4'), fixture.h('x'));

--! case f08_a_first_generation_follows_nothing
--! role owner
--! expect HF038
--! setup
insert into zone_group (name) values ('d');
insert into zone (name, zone_group) values ('d.', 3);
select fixture.put(3, 0, 5, '{@,@}', '{6,2}', '{0,0}', array [fixture.addresses(1), fixture.addresses(1)]);
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (3, 1, 12, fixture.parent(1, 4), fixture.h('1'), fixture.h('x'));

--! case f08_a_raise_follows_what_it_was_decided_on
--! role owner
--! expect HF038
--! setup
select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 1000000000, max(plan), fixture.h('id of another 3'), fixture.h('1000000000'), fixture.h('x') from plan;

--! case f08_of_two_in_one_statement_the_second_follows_the_first
--! role owner
--! expect HF038
--! setup
select fixture.stage(1, 3, 1, '{unlike}');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest)
select 1, v.g, v.p, fixture.parent(1, 4), fixture.h(v.g::text), fixture.h('x') from (values (4, 5), (5, 12)) v (g, p);

--! case f08_the_door_is_asked_for_another_parent
--! role admit
--! expect none
--! setup
-- 4 was decided on by whoever calls; then the database went back to 3, and another plan became 4.
select fixture.stage(1, 3, 1, '{unlike}');
select fixture.name_it(1, 5);
--! hostile
call admit(array_fill(1::bigint, array [1]), array [12]::bigint[], array_fill(3::bigint, array [1]), array_fill(null::bigint, array [1]), array_fill(null::text, array [1]),
    array_fill('[]'::jsonb, array [1]), array_fill(fixture.h('delta'), array [1]), array_fill('change'::text, array [1]), array_fill(false, array [1]), array_fill(null::bigint, array [1]),
    array_fill(1, array [1]), array_fill(1, array [1]), array_fill(0, array [1]), array_fill(0, array [1]), array_fill(0, array [1]),
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', array_fill(null::text, array [1]), array_fill(null::bytea, array [1]),
    array [5]::bigint[], array [fixture.h('id of another 4')]::bytea[], array [fixture.h('5')], array_fill(fixture.h('x'), array [1]), array_fill(fixture.h('x'), array [1]), array_fill(0::bigint, array [1]), null);
--! then
select max(generation) = 4 from generation where zone_group = 1;

--! case f08_a_staged_plan_is_as_it_was_staged
--! role admit
--! expect none
--! hostile
call fixture.admit(1, 5, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null);
--! then
select plan = 5 from generation where zone_group = 1 and generation = 4;

--! case f08_a_staged_plan_with_other_contents
--! role admit
--! expect HF038
--! hostile
call fixture.admit(1, 5, null, null, null, null, fixture.h('what was staged before'), null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null);

--! case f08_a_staged_plan_of_somebody_else
--! role admit
--! expect HF038
--! hostile
call fixture.admit(1, 5, null, 1, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null);

--! case f08_a_staged_plan_on_another_base
--! role admit
--! expect HF038
--! hostile
call fixture.admit(1, 5, 2, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null);

--! case f08_a_staged_plan_of_another_size
--! role admit
--! expect HF038
--! hostile
call fixture.admit(1, 5, null, null, null, null, null, '{2,1,0,0,0}', null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null);

--! case f08_a_staged_plan_whose_rows_are_gone
--! role owner
--! expect HF038
--! setup
alter table change disable trigger all;
delete from change where plan = 5 and owner = 'open';
alter table change enable trigger all;
--! hostile
call fixture.admit(1, 5, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null);

--! case f08_a_staged_plan_that_is_gone
--! role admit
--! expect HF015
--! hostile
call fixture.admit(1, 77, 3, null, null, '[]', fixture.h('delta'), '{1,1,0,0,0}', null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null);

--! case f09_a_staged_plan_that_comes_twice_is_known_by_its_key
--! role admit
--! expect none
--! setup
select fixture.stage(1, 3, 1, '{twice}', '{}', 1);
call fixture.admit(1, 12, null, null, null, null, null, null, null, null, null, null, null, null, null, 'a key', fixture.h('body'), 4, fixture.h('x'), fixture.h('x'), null, null);
--! hostile
do $$
declare
    told text;
    number bigint;
begin
    call fixture.admit(1, 12, null, null, null, null, null, null, null, null, null, null, null, null, null, 'a key', fixture.h('body'), 4, fixture.h('x'), fixture.h('x'), told, number);
    if told <> 'key-known' then
        raise exception 'told %', told;
    end if;
end $$;
--! then
select count(*) = 1 from generation where plan = 12;

--! case f08_the_door_is_told_no_parent
--! role admit
--! expect none
--! hostile
call admit(array_fill(1::bigint, array [1]), array [5]::bigint[], array_fill(3::bigint, array [1]), array_fill(null::bigint, array [1]), array_fill(null::text, array [1]),
    array_fill('[]'::jsonb, array [1]), array_fill(fixture.h('delta'), array [1]), array_fill('change'::text, array [1]), array_fill(false, array [1]), array_fill(null::bigint, array [1]),
    array_fill(1, array [1]), array_fill(1, array [1]), array_fill(0, array [1]), array_fill(0, array [1]), array_fill(0, array [1]),
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', array_fill(null::text, array [1]), array_fill(null::bytea, array [1]),
    array [4]::bigint[], array [null]::bytea[], array [fixture.h('4')], array_fill(fixture.h('x'), array [1]), array_fill(fixture.h('x'), array [1]), array_fill(0::bigint, array [1]), null);
--! then
select max(generation) = 3 from generation where zone_group = 1;

--! case f08_at_the_door_the_second_follows_the_first
--! role admit
--! expect none
--! setup
select fixture.stage(1, 3, 1, '{unlike}');
--! hostile
call admit(array_fill(1::bigint, array [2]), array [12, 5]::bigint[], array_fill(3::bigint, array [2]), array_fill(null::bigint, array [2]), array_fill(null::text, array [2]),
    array_fill('[]'::jsonb, array [2]), array_fill(fixture.h('delta'), array [2]), array_fill('change'::text, array [2]), array_fill(false, array [2]), array_fill(null::bigint, array [2]),
    array_fill(1, array [2]), array_fill(1, array [2]), array_fill(0, array [2]), array_fill(0, array [2]), array_fill(0, array [2]),
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', array_fill(null::text, array [2]), array_fill(null::bytea, array [2]),
    array [5, 4]::bigint[], array [fixture.h('4'), fixture.parent(1, 4)]::bytea[], array [fixture.h('5'), fixture.h('4')], array_fill(fixture.h('x'), array [2]), array_fill(fixture.h('x'), array [2]), array_fill(0::bigint, array [2]), null);
--! then
select array_agg(plan order by generation) = array [5, 12]::bigint[] from generation where zone_group = 1 and generation > 3;

--! case f08_at_the_door_the_second_follows_nothing_else
--! role admit
--! expect HF038
--! setup
select fixture.stage(1, 3, 1, '{unlike}');
--! hostile
call admit(array_fill(1::bigint, array [2]), array [5, 12]::bigint[], array_fill(3::bigint, array [2]), array_fill(null::bigint, array [2]), array_fill(null::text, array [2]),
    array_fill('[]'::jsonb, array [2]), array_fill(fixture.h('delta'), array [2]), array_fill('change'::text, array [2]), array_fill(false, array [2]), array_fill(null::bigint, array [2]),
    array_fill(1, array [2]), array_fill(1, array [2]), array_fill(0, array [2]), array_fill(0, array [2]), array_fill(0, array [2]),
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', array_fill(null::text, array [2]), array_fill(null::bytea, array [2]),
    array [4, 5]::bigint[], array [fixture.parent(1, 4), fixture.parent(1, 4)]::bytea[], array [fixture.h('4'), fixture.h('5')], array_fill(fixture.h('x'), array [2]), array_fill(fixture.h('x'), array [2]), array_fill(0::bigint, array [2]), null);

--! case f08_nothing_lands_below_a_raise
--! role owner
--! expect HF006
--! setup
select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise');
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 1000000000, (select max(plan) from plan), fixture.parent(1, 1000000000), fixture.h('1000000000'), fixture.h('x');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 4, 5, fixture.parent(1, 4), fixture.h('4'), fixture.h('x');

--! case f08_no_raise_lands_below_a_raise
--! role owner
--! expect HF006
--! setup
select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise');
select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise');
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 2000000000, (select max(plan) - 1 from plan), fixture.parent(1, 2000000000), fixture.h('2000000000'), fixture.h('x');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 1000000000, (select max(plan) from plan), fixture.parent(1, 1000000000), fixture.h('1000000000'), fixture.h('x');

--! case f08_after_a_raise_numbers_go_on_by_one
--! role owner
--! expect none
--! setup
select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise');
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 1000000000, (select max(plan) from plan), fixture.parent(1, 1000000000), fixture.h('1000000000'), fixture.h('x');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) select 1, 1000000001, 5, fixture.parent(1, 1000000001), fixture.h('1000000001'), fixture.h('x');

--! case f21_what_was_spent_is_not_given_back
--! role owner
--! expect HF031
--! setup
insert into generation (zone_group, generation, plan, parent, id, digest, deletes_spent) values (1, 4, 5, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'), 5);
select fixture.stage(1, 4, 1, '{y}');
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest, deletes_spent) select 1, 5, max(plan), fixture.parent(1, 5), fixture.h('x'), fixture.h('x'), 4 from plan;

--! case f21_the_window_begins_an_hour_ago
--! role owner
--! expect none
--! setup
insert into generation (zone_group, generation, plan, parent, id, digest, deletes_spent) values (1, 4, 5, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'), 5);
select fixture.put(1, 4, 1, '{}', '{}', '{}', '{}', 'raise');
insert into generation (zone_group, generation, plan, parent, id, digest, deletes_spent) select 1, 1000000000, max(plan), fixture.parent(1, 1000000000), fixture.h('y'), fixture.h('x'), 7 from plan;
select fixture.stage(1, 1000000000, 1, '{y}');
insert into generation (zone_group, generation, plan, parent, id, digest, deletes_spent) select 1, 1000000001, max(plan), fixture.parent(1, 1000000001), fixture.h('z'), fixture.h('x'), 9 from plan;
alter table generation disable trigger generation_never_changes;
--! hostile
do $$
declare
    spent constant bigint[] := '{0,0,0,5,7,9}';
begin
    for older in 0 .. 6 loop
        update generation g set at = now() - case when n.place <= older then interval '61 minutes' else interval '59 minutes' end
        from (select generation, row_number() over (order by generation) as place from generation where zone_group = 1) n where g.zone_group = 1 and g.generation = n.generation;
        if deletes_spent_before_window(1) <> coalesce(spent[older], 0) then
            raise exception '% are older: % instead of %', older, deletes_spent_before_window(1), spent[older];
        end if;
    end loop;
end
$$;

--! case f21_record_sets_are_counted
--! role owner
--! expect none
--! setup
insert into change (zone, owner, type, plan, value) values (2, '', 65536, 8, '\x740000000000000064'), (2, 'x', 1, 8, '\x01');
select fixture.name_it(1, 8);
select fixture.stage(1, 3, 1, '{p}');
select fixture.stage(1, 3, 1, '{q}');
insert into change (zone, owner, type, plan, value) values (2, '', 65536, 12, '\x64ffffffffffffffff'), (2, 'y', 1, 12, null), (2, '', 65536, 13, '\x640000000000000005'), (2, 'z', 1, 13, '\x01');
select fixture.name_it(1, 13);
select fixture.name_it(1, 12);
--! hostile
select 1 / case when (record_sets_at(2, 3), record_sets_at(2, 4), record_sets_at(2, 5), record_sets_at(2, 6), record_sets_at(2, 99)) = (0, 100, 105, 104, 104) then 1 else 0 end;

--! case settings_are_the_groups
--! role owner
--! expect none
--! setup
select fixture.put(1, 3, -1, '{@,@,@}', '{65542,65543,65544}', '{0,0,0}', array ['\x0000000214', '\x00', 'audit']::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;
--! then
select (select count(*) = 3 from names_at_tip('{-1}', '{@}')) and (select count(*) = 4 from zone_at(-1, 4)) and not exists (select from zone_at(-1, 3));

--! case settings_conflict
--! role owner
--! expect HF004
--! setup
select fixture.put(1, 3, -1, '{@}', '{65543}', '{0}', array ['\x00']::bytea[]);
select fixture.name_it(1, max(plan)) from plan;
select fixture.put(1, 3, -1, '{@}', '{65543}', '{0}', array ['\x01']::bytea[]);
--! hostile
select fixture.name_it(1, max(plan)) from plan;

--! case settings_of_another_group
--! role owner
--! expect HF007
--! hostile
select fixture.put(1, 3, -2, '{@}', '{65543}', '{0}', array ['\x00']::bytea[]);

--! case settings_of_no_group
--! role owner
--! expect HF016
--! hostile
select fixture.put(1, 3, -9, '{@}', '{65543}', '{0}', array ['\x00']::bytea[]);

--! case settings_are_in_no_zone
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, 1, '{@}', '{65543}', '{0}', array ['\x00']::bytea[]);

--! case names_are_in_zones
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, -1, '{x}', '{1}', '{0}', array ['\x01']::bytea[]);

--! case settings_are_at_the_apex
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, -1, '{x}', '{65543}', '{0}', array ['\x00']::bytea[]);

--! case a_share_is_at_most_all
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, -1, '{@}', '{65540}', '{0}', array ['\x0000000165']::bytea[]);

--! case a_switch_is_on_or_off
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, -1, '{@}', '{65543}', '{0}', array ['\x02']::bytea[]);

--! case no_type_that_nobody_knows
--! role owner
--! expect HF021
--! hostile
select fixture.put(1, 3, 1, '{@}', '{65539}', '{0}', array ['\x02']::bytea[]);

--! case the_auditor_freezes_a_group
--! role audit
--! expect none
--! hostile
call freeze_as_auditor(1, 'answers differ', 'auditor', null);
call freeze_as_auditor(1, 'answers still differ', 'auditor', null);
--! then
select (select count(*) = 1 from stop where kind = 'auditor' and zone_group = 1) and (select count(*) = 1 from audit where act = 'freeze');

--! case the_auditor_freezes_nothing_but_a_group
--! role audit
--! expect 42501
--! hostile
insert into stop (kind, zone_group, reason, by) values ('auditor', null, 'everything', 'auditor');

--! case the_auditor_is_nobody_else
--! role audit
--! expect 42501
--! hostile
insert into stop (kind, zone_group, reason, by) values ('freeze', 1, 'as a person', 'auditor');

--! case the_auditor_says_no_history_behind
--! role audit
--! expect 42501
--! hostile
insert into stop (kind, zone_group, reason, by) values ('history-behind', 1, 'as a server', 'auditor');

--! case the_auditor_freezes_without_an_end
--! role audit
--! expect 42501
--! hostile
insert into stop (kind, zone_group, reason, by, until) values ('auditor', 1, 'for a while', 'auditor', now() + interval '1 hour');

--! case the_auditor_does_not_thaw
--! role audit
--! expect 42501
--! setup
insert into stop (kind, zone_group, reason, by) values ('auditor', 1, 'answers differ', 'auditor');
--! hostile
delete from stop;

--! case the_auditor_does_not_thaw_by_the_door
--! role audit
--! expect 42501
--! hostile
call thaw(1, null, 'over', null, 'auditor', null);

--! case the_auditor_moves_no_head
--! role audit
--! expect 42501
--! hostile
insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 3, 'auditor');

--! case the_auditor_gives_no_verdict
--! role audit
--! expect 42501
--! hostile
insert into verdict (zone_group, generation, passed, why, by) values (1, 3, false, 'looks wrong', 'auditor');

--! case the_auditor_admits_nothing
--! role audit
--! expect 42501
--! hostile
insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 5, fixture.parent(1, 4), fixture.h('id'), fixture.h('digest'));

--! case the_auditor_stages_nothing
--! role audit
--! expect 42501
--! hostile
select fixture.stage(1, 3, 1, '{x}');

--! case the_auditor_reports_for_no_server
--! role audit
--! expect 42501
--! hostile
insert into server (server, instance, ring) values ('x', gen_random_uuid(), 'fleet');

--! case the_auditor_does_not_enact_by_hand
--! role audit
--! expect 42501
--! hostile
call enact_by_hand(1, 'fleet', 3, null, 'why', 'auditor', null);

--! case enactors_do_not_enact_by_hand
--! role enact
--! expect 42501
--! hostile
call enact_by_hand(1, 'fleet', 3, null, 'why', 'me', null);

--! case by_hand_a_frozen_group_stays
--! role owner
--! expect HF022
--! setup
delete from head_move where zone_group = 1 and generation < 3;
insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) select 1, 3, digest_delta, 1, 1, 0, 0, 0 from plan limit 1;
insert into change (zone, owner, type, plan, value) select 1, '', 65536, max(plan), '\x00'::bytea from plan union all select 1, 'late', 1, max(plan), '\xc0000201' from plan;
select fixture.name_it(1, max(plan)) from plan;
insert into stop (kind, reason, by) values ('freeze', 'everything', 'somebody');
--! hostile
call enact_by_hand(1, 'fleet', 4, null, 'why', 'somebody', null);

--! case by_hand_it_is_kept_who_did_it
--! role owner
--! expect none
--! setup
insert into plan (zone_group, base, digest_delta, changes, added, replaced, deleted, absent) select 1, 3, digest_delta, 1, 1, 0, 0, 0 from plan limit 1;
insert into change (zone, owner, type, plan, value) select 1, '', 65536, max(plan), '\x00'::bytea from plan union all select 1, 'late', 1, max(plan), '\xc0000201' from plan;
select fixture.name_it(1, max(plan)) from plan;
--! hostile
call enact_by_hand(1, 'fleet', 4, null, 'why', 'somebody', null);
--! then
select (select max(generation) = 4 from head_move where zone_group = 1) and (select count(*) = 1 from audit where act = 'enact' and by = 'somebody' and detail ->> 'reason' = 'why');
