-- Races of two connections, as data. Each step is one line: "A: statement" runs at once; "B waits: statement" must not have answered half a second later, and its
-- answer is looked for further down: "B gets: X", where X is a SQLSTATE, or a word that its output contains ("none": no error). Both are the owner, on a copy of
-- fixture.sql's database, except the calls of the door, which any of them may make. "then: query" must say true in the end.

--! race f01_two_admissions_of_one_number
A: begin
A: select fixture.name_it(1, 5)
B waits: call fixture.admit(1, 6, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null)
A: commit
B gets: lost-race
then: select plan = 5 from generation where zone_group = 1 and generation = 4

--! race f01_the_first_of_two_gives_up
A: begin
A: select fixture.name_it(1, 5)
B waits: call fixture.admit(1, 6, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null)
A: rollback
B gets: admitted
then: select plan = 6 from generation where zone_group = 1 and generation = 4

--! race f01_the_first_of_two_gives_up_and_the_second_is_stale
A: begin
A: select fixture.name_it(1, 5)
B waits: call fixture.admit(1, 7, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null)
A: rollback
B gets: HF004

--! race f05_what_is_admitted_meanwhile_is_seen
A: begin
A: select fixture.stage(1, 3, 1, '{open}')
B: select fixture.name_it(1, 5)
A: insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 5, 12, fixture.parent(1, 5), fixture.h('x'), fixture.h('x'))
A gets: HF004

--! race f09_two_calls_with_one_key
A: begin
A: select fixture.stage(1, 3, 1, '{k}', '{}', 1)
A: insert into idempotency_key (token, key, body_hash, plan) values (1, 'key', fixture.h('b'), 12)
A: select fixture.name_it(1, 12)
B waits: call fixture.admit(1, null, 3, 1, null, '[]', fixture.h('x'), '{1,1,0,0,0}', '{1,1}', '{"",l}', '{65536,1}', '{0,0}', array ['\x00', '\x01']::bytea[], '{}', '{}', 'key', fixture.h('b'), 4, fixture.h('x'), fixture.h('x'), null, null)
A: commit
B gets: key-known

--! race f11_given_up_first_then_named
A: begin
A: delete from plan where plan = 6
B waits: select fixture.name_it(1, 6)
A: commit
B gets: HF015

--! race f11_given_up_but_not_after_all
A: begin
A: delete from plan where plan = 6
B waits: select fixture.name_it(1, 6)
A: rollback
B gets: none
then: select plan = 6 from generation where zone_group = 1 and generation = 4

--! race f11_named_first_then_given_up
A: begin
A: select fixture.name_it(1, 6)
B waits: delete from plan where plan = 6
A: commit
B gets: HF003
then: select count(*) = 2 from change where plan = 6

--! race f11_given_up_while_rows_are_added
A: begin
A: insert into change (zone, owner, type, plan, value) values (1, 'x', 1, 6, '\x01')
B waits: delete from plan where plan = 6
A: commit
B gets: none
then: select not exists (select from plan where plan = 6)

--! race f59_a_late_change_comes_first
A: begin
A: insert into change (zone, owner, type, plan, value) select 1, '@', 2, 5, null
B waits: select fixture.name_it(1, 5)
A: commit
B gets: HF008

--! race f59_a_late_read_comes_first
A: begin
A: select plan from plan where plan = 5
A: insert into plan_read (plan, zone, owner) values (8, 1, 'www')
B waits: select fixture.name_it(1, 8)
A: rollback
B gets: HF012

--! race f59_a_late_change_comes_second
A: begin
A: select fixture.name_it(1, 5)
B waits: insert into change (zone, owner, type, plan, value) values (1, 'late', 1, 5, '\x01')
A: commit
B gets: HF003
then: select not exists (select from change where owner = 'late')

--! race f59_a_late_read_comes_second
A: begin
A: select fixture.name_it(1, 5)
B waits: insert into plan_read (plan, zone, owner) values (5, 1, 'late')
A: commit
B gets: HF003

--! race f59_the_generation_is_undone
A: begin
A: select fixture.name_it(1, 5)
B waits: insert into change (zone, owner, type, plan, value) values (1, 'late', 1, 5, '\x01')
A: rollback
B gets: none

--! race f59_two_batches_of_one_plan_do_not_wait_for_each_other
A: begin
A: insert into change (zone, owner, type, plan, value) values (1, 'x1', 1, 5, '\x01')
B: insert into change (zone, owner, type, plan, value) values (1, 'x2', 1, 5, '\x01')
B gets: none
A: commit

--! race a_zone_goes_while_it_is_filled
A: begin
A: select fixture.stage(2, 1, 4, '{x}')
B waits: delete from zone where zone = 4
A: commit
B gets: HF019

--! race a_zone_is_filled_while_it_goes
A: begin
A: delete from zone where zone = 4
B waits: select fixture.stage(2, 1, 4, '{x}')
A: commit
B gets: HF016

--! race f01_a_head_is_superseded_while_it_is_deleted
A: begin
A: select fixture.name_it(1, 5)
A: insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e')
B: delete from head_move where zone_group = 1 and generation = 3
B gets: HF010
A: delete from head_move where zone_group = 1 and generation = 3
A: commit
then: select array_agg(generation order by generation) = '{1,2,4}' from head_move where zone_group = 1

--! race f48_a_freeze_answers_when_no_move_is_in_flight
A: begin
A: select fixture.name_it(1, 5)
A: insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e')
B waits: call freeze(1, null, 'freeze', 'incident', null, 'x', null, null)
A: commit
B gets: none
then: select count(*) = 1 and (select max(generation) = 4 from head_move where zone_group = 1) from stop

--! race f48_a_move_that_waited_for_a_freeze_is_refused
A: select fixture.name_it(1, 5)
A: begin
A: insert into stop (kind, zone_group, reason, by) values ('freeze', 1, 'incident', 'x')
B waits: call enact('fleet', array [1], array [4], null, 'e', null)
A: commit
B gets: HF022
then: select max(generation) = 3 from head_move where zone_group = 1

--! race f48_a_move_that_waited_for_another_move_meets_the_freeze
A: select fixture.name_it(1, 5)
A: begin
A: insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e1')
B waits: call freeze(null, 'fleet', 'freeze', 'incident', null, 'x', null, null)
A: rollback
B gets: none
B: call enact('fleet', array [1], array [4], null, 'e2', null)
B gets: HF022
then: select max(generation) = 3 from head_move where zone_group = 1

--! race f48_a_move_that_waited_for_a_thaw_goes
A: select fixture.name_it(1, 5)
A: call freeze(1, null, 'freeze', 'incident', null, 'x', null, null)
A: begin
A: delete from stop
B waits: call enact('fleet', array [1], array [4], null, 'e', null)
A: commit
B gets: none
then: select max(generation) = 4 from head_move where zone_group = 1

--! race f48_moves_do_not_wait_for_each_other
A: select fixture.name_it(1, 5)
A: select fixture.name_it(2, 9)
A: begin
A: insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e1')
B: call enact('fleet', array [2], array [2], null, 'e2', null)
B gets: none
A: commit

--! race f33_a_verdict_waits_for_the_move_in_flight
A: select fixture.name_it(1, 5)
A: begin
A: insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e')
B waits: call fail(1, 4, 'it is poison', null, 'x')
A: commit
B gets: none
then: select not passed from verdict where zone_group = 1 and generation = 4

--! race f33_a_move_that_waited_for_the_verdict_is_refused
A: select fixture.name_it(1, 5)
A: begin
A: insert into verdict (zone_group, generation, passed, why, by) values (1, 4, false, 'it is poison', 'x')
B waits: call enact('fleet', array [1], array [4], null, 'e', null)
A: commit
B gets: HF026

--! race f52_a_verdict_that_passed_holds_nobody_up
A: select fixture.name_it(2, 9)
A: begin
A: insert into verdict (zone_group, generation, passed, why, by) values (1, 3, true, 'three heartbeats', 'x')
B: call enact('fleet', array [2], array [2], null, 'e', null)
B gets: none
A: commit

--! race f52_a_first_ring_is_added_before_the_move
A: select fixture.name_it(1, 5)
A: begin
A: insert into ring (ring) values ('canary')
A: update ring set first = (ring = 'canary')
B waits: call enact('fleet', array [1], array [4], null, 'e', null)
A: commit
B gets: HF025
then: select max(generation) = 3 from head_move where zone_group = 1

--! race f52_a_first_ring_is_added_after_the_move
A: select fixture.name_it(1, 5)
A: begin
A: insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e')
B waits: call set_ring('canary', true, '0', '0', 1, 'prove first', null, 'x')
A: commit
B gets: none
then: select max(generation) = 4 from head_move where zone_group = 1

--! race f49_a_ring_ends_before_the_move
A: call set_ring('canary', true, '0', '0', 1, 'prove first', null, 'x')
A: begin
A: update ring set ended = case ring when 'canary' then now() end, first = (ring = 'fleet')
B waits: call enact('canary', array [1], array [3], '[["s1"]]', 'e', null)
A: commit
B gets: HF028

--! race f49_a_ring_ends_after_the_move
A: call set_ring('canary', true, '0', '0', 1, 'prove first', null, 'x')
A: begin
A: insert into head_move (zone_group, ring, generation, by, expected) values (1, 'canary', 3, 'e', '{s1}')
B waits: call end_ring('canary', 'no more', null, 'x')
A: commit
B gets: none
then: select ended is not null and exists (select from head_move where ring = 'canary') from ring where ring = 'canary'

--! race f08_a_report_waits_for_the_admission_in_flight
A: insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet')
A: begin
A: select fixture.name_it(1, 5)
B waits: insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lost'))
A: commit
B gets: none
then: select kind = 'history-behind' from stop

--! race f08_an_admission_waits_for_the_report_and_is_refused
A: insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet')
A: begin
A: insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lost'))
B waits: call fixture.admit(1, 5, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 4, fixture.h('x'), fixture.h('x'), null, null)
A: commit
B gets: HF023

--! race f08_a_report_waits_for_the_move_in_flight
A: insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet')
A: select fixture.name_it(2, 9)
A: begin
A: insert into head_move (zone_group, ring, generation, by) values (2, 'fleet', 2, 'e')
B waits: insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 2, 60, fixture.h('lost'))
A: commit
B gets: none

--! race f08_a_move_waits_for_the_report_and_is_refused
A: insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet')
A: select fixture.name_it(2, 9)
A: begin
A: insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 2, 60, fixture.h('lost'))
B waits: call enact('fleet', array [2], array [2], null, 'e', null)
A: commit
B gets: HF022

--! race f08_a_report_does_not_wait_for_ever
A: insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet')
A: begin
A: select fixture.name_it(1, 5)
A: insert into head_move (zone_group, ring, generation, by) values (2, 'fleet', 1, 'e') on conflict do nothing
B waits: insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lost'))
B gets: none
A: commit
then: select kind = 'history-behind' and exists (select from report) from stop

--! race f08_what_is_known_waits_for_nobody
A: insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet')
A: begin
A: select fixture.name_it(1, 5)
A: insert into stop (kind, reason, by) values ('freeze', 'incident', 'x')
B: insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 3, fixture.h('id3'))
B gets: none
A: commit

--! race f08_a_thaw_and_a_report
A: insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet'), ('s2', '00000000-0000-0000-0000-000000000002', 'fleet')
A: insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lost'))
A: call forget_server('s1', 'it lies', null, 'x')
A: begin
A: insert into report (server, instance, zone_group, generation, id) values ('s2', '00000000-0000-0000-0000-000000000002', 1, 60, fixture.h('lost'))
B waits: delete from stop
A: commit
B gets: HF024

--! race f08_a_report_and_a_thaw
A: insert into server (server, instance, ring) values ('s1', '00000000-0000-0000-0000-000000000001', 'fleet'), ('s2', '00000000-0000-0000-0000-000000000002', 'fleet')
A: insert into report (server, instance, zone_group, generation, id) values ('s1', '00000000-0000-0000-0000-000000000001', 1, 60, fixture.h('lost'))
A: call forget_server('s1', 'it lies', null, 'x')
A: begin
A: delete from stop
B waits: insert into report (server, instance, zone_group, generation, id) values ('s2', '00000000-0000-0000-0000-000000000002', 1, 60, fixture.h('lost'))
A: commit
B gets: none
then: select by = 's2' from stop

--! race f08_a_raise_waits_for_an_admission
A: begin
A: select fixture.name_it(1, 5)
B: select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise')
B waits: insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 1000000000, 12, fixture.parent(1, 1000000000), fixture.h('x'), fixture.h('x'))
A: commit
B gets: HF004
then: select max(generation) = 4 from generation where zone_group = 1

--! race f08_an_admission_waits_for_a_raise
A: begin
A: select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise')
A: insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 1000000000, 12, fixture.parent(1, 1000000000), fixture.h('x'), fixture.h('x'))
B waits: insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 4, 5, fixture.parent(1, 4), fixture.h('x'), fixture.h('x'))
A: commit
B gets: HF006

--! race f08_two_raises
A: begin
A: select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise')
B: select fixture.put(1, 3, 1, '{}', '{}', '{}', '{}', 'raise')
A: insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 1000000000, 12, fixture.parent(1, 1000000000), fixture.h('x'), fixture.h('x'))
B waits: insert into generation (zone_group, generation, plan, parent, id, digest) values (1, 2000000000, 13, fixture.parent(1, 2000000000), fixture.h('x'), fixture.h('x'))
A: commit
B gets: HF004
