-- Races of retirement with pins, moves, readers and itself; the form is told in races.sql.

--! race f49_a_pin_waits_for_a_floor_that_rises
A: begin
A: update zone_group set floor = 3 where zone_group = 1
B waits: insert into pin (zone_group, generation, why, by) values (1, 2, 'for the audit', 'me')
A: commit
B gets: HF009

--! race f49_a_pin_waits_for_a_floor_that_does_not_rise
A: begin
A: update zone_group set floor = 3 where zone_group = 1
B waits: insert into pin (zone_group, generation, why, by) values (1, 2, 'for the audit', 'me')
A: rollback
B gets: none

--! race f49_a_pin_holds_a_floor_that_waited
A: begin
A: insert into pin (zone_group, generation, why, by) values (1, 2, 'for the audit', 'me')
B waits: update zone_group set floor = 3 where zone_group = 1
A: commit
B gets: HF035

--! race f49_a_pin_that_was_not_set_holds_nothing
A: begin
A: insert into pin (zone_group, generation, why, by) values (1, 2, 'for the audit', 'me')
B waits: update zone_group set floor = 3 where zone_group = 1
A: rollback
B gets: none

--! race f49_a_move_waits_for_a_floor_that_rises
A: delete from head_move where zone_group = 1 and generation < 3
A: begin
A: update zone_group set floor = 3 where zone_group = 1
B waits: insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 2, 'late')
A: commit
B gets: HF009

--! race f49_a_move_of_a_new_ring_holds_a_floor_that_waited
A: insert into verdict (zone_group, generation, passed, why, by) values (1, 2, true, 'proved', 'e')
A: insert into ring (ring) values ('delayed')
A: begin
A: insert into head_move (zone_group, ring, generation, by) values (1, 'delayed', 2, 'e')
B waits: update zone_group set floor = 3 where zone_group = 1
A: commit
B gets: HF035

--! race f11_two_who_delete_do_not_lean_on_each_other
A: select fixture.name_it(1, fixture.put(1, 3, 1, '{mail}', '{1}', '{0}', array [null]::bytea[]))
A: insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e')
A: update zone_group set floor = 4 where zone_group = 1
A: begin
A: delete from change where owner = 'mail' and plan = 1
B: delete from change where owner = 'mail' and plan = 12
B gets: HF036
A: rollback
then: select value is null from zone_at(1, 4) where owner = 'mail'

--! race f11_two_sweeps_do_not_wait_for_each_other
A: update zone_group set floor = 3 where zone_group = 1
A: call retire_changes(1, 1, null, null)
A: begin
A: select from retirement for update
B: call retire_changes(1, 1, null, null)
B gets: 0|t
A: commit

--! race f11_an_admission_does_not_wait_for_retirement
A: begin
A: update zone_group set floor = 3 where zone_group = 1
A: delete from change where owner = 'www' and plan = 1
B: select fixture.name_it(1, fixture.stage(1, 3, 1, '{www}'))
B gets: 4
A: commit
then: select plan = 12 from zone_at(1, 4) where owner = 'www'

--! race f50_what_was_retired_is_not_seen_without_its_floor
A: select fixture.name_it(1, fixture.put(1, 3, 1, '{mail}', '{1}', '{0}', array [null]::bytea[]))
A: insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 4, 'e')
A: begin
A: update zone_group set floor = 4 where zone_group = 1
A: delete from change where owner = 'mail' and plan in (1, 12)
B: select fixture.name_it(1, fixture.stage(1, 3, 1, '{mail}'))
B gets: HF004
A: commit
B: select fixture.name_it(1, fixture.stage(1, 3, 1, '{mail}'))
B gets: HF032

--! race f12_a_reader_sees_one_world_to_its_end
A: begin isolation level repeatable read
A: select floor from zone_group where zone_group = 1
B: update zone_group set floor = 3 where zone_group = 1
B: delete from change where owner = 'www' and plan = 1
A: select 'sees ' || count(*) from zone_at(1, 1) where owner in ('www', 'mail')
A gets: sees 2
A: commit
A: select 'sees ' || count(*) from zone_at(1, 1) where owner in ('www', 'mail')
A gets: sees 1
