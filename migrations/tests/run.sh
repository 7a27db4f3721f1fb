#!/bin/bash
# Runs hostile*.sql, races*.sql and property.sql against a private Postgres, as an owner who is no superuser; `run.sh mutants` takes out each guard and sees its cases object.
# Needs: PGHOST and PGPORT of a cluster to which user postgres may connect (it makes and drops databases named hostile…, and logins named hostile_…).
set -u
# Debian's psql is a script that looks for the client and takes longer to start than most cases take: the client itself, the newest one, if it stands there.
for programs in /usr/lib/postgresql/*/bin; do [ ! -x "$programs/psql" ] || PATH="$programs:$PATH"; done
# Of the logins below; a cluster may ask for it, or not.
export PGPASSWORD=hostile
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
db=hostile_case
trap 'rm -rf "$work"' EXIT
admin() { psql -qXAt -U postgres -d postgres -v ON_ERROR_STOP=1 "$@"; }

for pair in owner: admit:holdfast_admit enact:holdfast_enact retire:holdfast_retire serve:holdfast_serve read:holdfast_read; do
    admin -c "do \$\$ begin create role hostile_${pair%%:*}; exception when duplicate_object then null; end \$\$" \
        -c "alter role hostile_${pair%%:*} login createrole password '$PGPASSWORD'" 2>/dev/null
done
for role in admit enact retire serve read; do admin -c "alter role hostile_$role nocreaterole"; done

# template DATABASE [SED]: a database with our migrations, changed by a sed script, and the fixture.
template() {
    : > "$work/fresh"
    admin -c "drop database if exists $1 with (force)" -c "create database $1 owner hostile_owner" 2>/dev/null
    for file in "$here"/../0*.sql; do
        sed -E "${2:-}" "$file" > "$work/migration.sql"
        psql -qX -1 -U hostile_owner -d "$1" -v ON_ERROR_STOP=1 -f "$work/migration.sql" || { echo "migration $file does not run"; exit 1; }
    done
    for role in admit enact retire serve read; do admin -c "grant holdfast_$role to hostile_$role" 2>/dev/null; done
    psql -qX -U hostile_owner -d "$1" -v ON_ERROR_STOP=1 -f "$here/fixture.sql" > "$work/fixture.out" || { echo "the fixture does not run"; exit 1; }
}

# Cuts hostile*.sql into $work/cases/NAME/{role,expect,setup,hostile,then}.
mkdir -p "$work/cases"
awk -v dir="$work/cases" '
    /^--! case /   { name = $3; system("mkdir -p " dir "/" name); part = ""; print name > (dir "/names"); next }
    /^--! role /   { print $3 > (dir "/" name "/role"); next }
    /^--! expect / { print $3 > (dir "/" name "/expect"); next }
    /^--! (setup|hostile|then)/ { part = $2; next }
    name && part   { print > (dir "/" name "/" part) }' "$here"/hostile*.sql

# copy TEMPLATE: $db as a copy of it. Rights on the database itself are not copied, so that line of 0001_roles.sql is said again.
copy() {
    : > "$work/fresh"
    admin -c "drop database if exists $db with (force)" -c "create database $db template $1 owner hostile_owner" -c "revoke temporary on database $db from public" 2>/dev/null
}

# run_case NAME TEMPLATE: prints what the case gave. A single statement that was refused has changed nothing, so the next case without a setup finds a fresh copy.
run_case() {
    local case="$work/cases/$1" role
    role=$(cat "$case/role")
    [ ! -s "$case/setup" ] && [ "$(cat "$case/expect")" != none ] && [ "$(cat "$work/fresh" 2>/dev/null)" = "$2" ] || copy "$2"
    : > "$work/fresh"
    if [ -s "$case/setup" ]; then
        psql -qXAt -U hostile_owner -d "$db" -v ON_ERROR_STOP=1 -f "$case/setup" > "$work/out" 2>&1 || { echo "SETUP $(grep -m1 ERROR "$work/out")"; return; }
    fi
    psql -qXAt -U "hostile_$role" -d "$db" -v VERBOSITY=sqlstate -f "$case/hostile" > "$work/out" 2>&1
    local got
    got=$(grep -m1 -oE 'ERROR: +[A-Z0-9]{5}' "$work/out" | awk '{print $2}')
    got=${got:-none}
    if [ ! -s "$case/setup" ] && [ "$got" != none ] && [ "$(grep -c ';' "$case/hostile")" = 1 ]; then echo "$2" > "$work/fresh"; fi
    if [ "$got" = none ] && [ -s "$case/then" ]; then
        [ "$(psql -qXAt -U hostile_owner -d "$db" -f "$case/then" 2>&1)" = t ] || got="none, but then is not true"
    fi
    echo "$got"
}

# run_race NAME TEMPLATE: prints nothing when all went as written, else what did not.
run_race() {
    copy "$2"
    local steps="$work/race" line who rest n=0 answer
    awk -v name="$1" '/^--! race /{on = ($3 == name); next} on && NF' "$here"/races*.sql > "$steps"
    for who in A B; do
        rm -f "$work/$who.in" "$work/$who.out"; mkfifo "$work/$who.in"; : > "$work/$who.out"
        psql -qXAt -U hostile_owner -d "$db" -v VERBOSITY=sqlstate < "$work/$who.in" > "$work/$who.out" 2>&1 &
    done
    exec 8> "$work/A.in" 9> "$work/B.in"
    say() { if [ "$1" = A ]; then printf '%s\n' "$2" >&8; else printf '%s\n' "$2" >&9; fi; }
    # Has the connection answered everything up to the mark?
    answered() { local i; for i in $(seq 1 "$3"); do grep -q "^mark $2\$" "$work/$1.out" && return 0; sleep 0.05; done; return 1; }
    declare -A mark=([A]=0 [B]=0) from=([A]=1 [B]=1)
    while IFS= read -r line; do
        who=${line:0:1}
        case "$line" in
            ?": "*)        rest=${line#*: }; n=$((n+1)); mark[$who]=$n; from[$who]=$(($(wc -l < "$work/$who.out") + 1)); say "$who" "$rest;"; say "$who" "\\echo mark $n"
                           answered "$who" "$n" 100 || echo "$who does not answer: $rest" ;;
            ?" waits: "*)  rest=${line#* waits: }; n=$((n+1)); mark[$who]=$n; from[$who]=$(($(wc -l < "$work/$who.out") + 1)); say "$who" "$rest;"; say "$who" "\\echo mark $n"
                           answered "$who" "$n" 10 && echo "$who does not wait: $(tail -n +"${from[$who]}" "$work/$who.out" | head -1)" ;;
            ?" gets: "*)   rest=${line#* gets: }; answered "$who" "${mark[$who]}" 100 || echo "$who still waits"
                           answer=$(tail -n +"${from[$who]}" "$work/$who.out")
                           if [ "$rest" = none ]; then case "$answer" in *ERROR*) echo "$who got $answer";; esac
                           else case "$answer" in *"$rest"*) ;; *) echo "$who got $answer instead of $rest";; esac; fi ;;
            "then: "*)     [ "$(psql -qXAt -U hostile_owner -d "$db" -c "${line#then: }" 2>&1)" = t ] || echo "not true: ${line#then: }" ;;
        esac
    done < "$steps"
    exec 8>&- 9>&-
    wait
}

# property TEMPLATE: prints nothing when 5,000 random plans were all judged as by looking at every row, else the first disagreement.
property() { copy "$1"; psql -qXAt -U hostile_owner -d "$db" -v rounds=5000 -f "$here/property.sql" 2>&1 | grep -m1 ERROR; }

names=$(cat "$work/cases/names")
races=$(awk '/^--! race /{print $3}' "$here"/races*.sql)

if [ "${1:-}" = mutants ]; then
    # A guard is a SQLSTATE in a function: taken out, at least one of its cases must no longer be refused with it, and each is named that still is.
    for code in $(grep -oE '^--   HF[0-9]{3}' "$here/../0002_history.sql" | cut -c6-); do
        # Setups lean on guards too (a mutant may let more through than a setup expects), so a failing setup is said, not counted.
        template hostile_mutant "s/then '$code'/then null/; s/raise exception using errcode = '$code'/raise notice using errcode = '00000'/"
        through=0 still=""
        for name in $names; do
            [ "$(cat "$work/cases/$name/expect")" = "$code" ] || continue
            got=$(run_case "$name" hostile_mutant)
            if [ "$got" = "$code" ]; then still="$still $name"; else through=$((through+1)); fi
        done
        echo "$code taken out: $through of its cases go otherwise${still:+; still refused:$still}"
        [ $through -gt 0 ] || exit 1
    done
    # Halves of guards, each with the case that must go otherwise without it.
    while IFS='|' read -r name mutant; do
        [ -n "$name" ] || continue
        template hostile_mutant "$mutant"
        got=$(run_case "$name" hostile_mutant)
        if [ "$got" = "$(cat "$work/cases/$name/expect")" ]; then echo "$mutant: $name DOES NOT OBJECT"; exit 1; fi
        echo "$mutant: $name objects"
    done <<'END'
f46_its_own_end_ends_it|s/until is null or until > clock_timestamp\(\)/true/
f46_another_group_is_not_frozen|s/s.zone_group is null or s.zone_group = a.zone_group/true/
f46_another_group_is_not_frozen|s/s.ring is null or s.ring = a.ring/true/
f46_everything_is_frozen|s/s.zone_group is null or s.zone_group = a.zone_group/s.zone_group = a.zone_group/
f57_a_rollback_goes_through_a_freeze|s/where not \(p.through_freeze and s.kind in \('freeze', 'auditor'\)\)//
f57_no_rollback_goes_through_a_history_that_is_behind|s/p.through_freeze and s.kind in \('freeze', 'auditor'\)/p.through_freeze/
f45_an_act_is_not_dated_back|s/new.at := clock_timestamp\(\)/null/
f52_a_verdict_is_not_dated_back|s/new.at := clock_timestamp\(\)/null/
f52_not_before_its_delay_is_over|s/v.at \+ r.delay <= clock_timestamp\(\)/true/
f52_no_servers_prove_nothing|s/cardinality\(m.expected\) >= r.servers_min/true/
f52_too_few_servers_prove_nothing|s/cardinality\(m.expected\) >= r.servers_min/cardinality(m.expected) > 0/
f52_a_move_of_a_later_ring_proves_nothing|s/where r.first and r.ended is null and \(m.expected/where (m.expected/
f33_failed_outweighs_passed|s/and v.generation = a.generation and not v.passed/and v.generation = a.generation and not v.passed and not exists (select from verdict p where p.generation = v.generation and p.passed)/
f22_nor_when_it_moved_before|s/return not exists \(select from head_move m where m.zone_group = of_group and m.ring = of_ring and m.generation <> of_generation\)/return true/
f22_not_with_what_servers_of_another_ring_report|s/and s.ring = of_ring//
f22_nor_with_what_the_first_ring_is_proving|s/and of_generation is distinct from \(/and -1 <> (/
f22_a_ring_without_a_move_does_not_begin_with_the_tip|s/m.ring = r.ring and m.generation >= of_generation/m.ring = r.ring/
rings_one_that_ended_does_not_come_back_with_its_moves|s/or not exists \(select from head_move m where m.ring = o.ring\)/or true/
rings_one_that_ended_is_no_door_to_the_heads_of_others|s/where e.ring = r.ring and e.ended is not null/where e.ended is not null/
f08_a_known_number_with_another_id_stops_the_group|s/and g.generation = of_generation and g.id <> of_id\)/and false)/
f08_a_report_above_the_tip_stops_the_group|s/if tip is null or of_generation > tip then/if tip is null then/
f08_a_known_number_with_another_id_stops_the_group|s/create trigger report_is_still_known after update/create trigger report_is_still_known after delete/
f08_a_number_that_servers_know_is_not_given_to_another_group|s/when t.tip is null and group_was_reported/when false and group_was_reported/
f08_nor_by_a_thaw|s/and \(s.kind <> 'history-behind' or not exists.*/;/
f58_what_a_liar_reported_is_thawed_when_it_is_forgotten|s/where s.forgotten is null and not history_knows/where not history_knows/
f15_nor_by_a_large_plan|s/else exists \(select from guards_broken_in_zones\(a.plan, a.generation\)\) end/end/
f15_a_guarded_set_is_not_deleted|s/when p.changes <= 1000 then exists \(select from guards_broken_by_names\(a.plan, a.generation\)\)/when p.changes <= 1000 then false/
f15_a_guard_holds_at_once|s/case c.type when 65538 then c.covered else c.type end as type/c.type/
f15_nor_with_a_set_that_is_only_staged|s/exists \(select from generation g where g.plan = v.plan and g.generation <= of_generation offset 0\)/true/
f15_nor_filled_with_what_is_no_record|s/return case place when total then records else 0 end/return records/
f20_a_change_does_not_end_a_zone|s/of_kind = 'end-zone' or/true or/
f20_an_end_leaves_nothing|s/and not exists \(select from zone_at\(found_zone.zone, of_generation\).*;$/;/
f20_a_rollback_ends_nothing_that_stood|s/and not exists \(select from zone_at\(found_zone.zone, rolled_back_to\) s where s.value is not null and s.type <> 65536\)//
f08_nothing_lands_below_a_raise|s/when above.plan is not null/when false/
f08_a_raise_is_made_on_the_tip|s/when p.kind = 'raise' and p.base <> t.tip then/when false then/
f08_a_raise_begins_at_the_epoch|s/or a.generation % 1000000000 <> 0//
f08_a_change_begins_no_epoch|s/when p.kind <> 'raise' and a.generation <> /when p.kind <> 'raise' and a.generation % 1000000000 <> 0 and a.generation <> /
f46_only_a_rollback_goes_through_a_freeze|s/and \(new.kind = 'rollback' or not new.through_freeze\)//
f52_people_do_not_pass_generations|s/to holdfast_admit with check \(not passed\)/to holdfast_admit with check (true)/
f10_the_newest_below_the_floor_is_not_deleted|s/and c.plan > k.plan$/and c.plan <> k.plan/
f10_a_tombstone_does_not_go_before_what_it_ends|s/and c.plan < k.plan$/and false/
f10_the_tombstone_of_a_zone_stays|s/and not \(k.type = 6 and k.owner = '@'\) and not exists/and not exists/
f10_a_floor_does_not_pass_a_head|s/where r.ended is null and coalesce\(head.generation, 0\) < n.floor/where false/
f10_a_floor_does_not_pass_a_ring_without_a_head|s/coalesce\(head.generation, 0\) < n.floor/head.generation < n.floor/
f10_a_floor_does_not_pass_a_pin|s/from pin p where p.zone_group = n.zone_group and p.generation < n.floor/from pin p where false/
f10_a_floor_past_the_head_of_an_ended_ring|s/where r.ended is null and coalesce\(head/where coalesce(head/
f10_the_floors_parent_is_remembered|s/and g.generation > r.generation and g.generation < z.floor offset 0/and g.generation > r.generation offset 0/
f10_what_is_young_is_remembered|s/order by g.generation offset generations_remembered\(\) - 1 limit 1/limit 1/
f10_a_generation_with_changes_is_remembered|s/where exists \(select from change c where c.plan = r.plan offset 0\)/where false/
f10_a_count_of_record_sets_stays|s/or \(k.counting is not null and .*$//
f10_the_last_touch_stays|s/where coalesce\(touched_at\(k.zone, k.floor\), 0\) <= k.generation/where false/
f50_a_rollback_to_below_the_floor|s/least\(p.base, p.rolled_back_to\)/p.base/
END
    # What holds races together: the locks, and that the judging looks from the plan's own base. Each with the races that it must break.
    while IFS='|' read -r wanted mutant; do
        [ -n "$wanted" ] || continue
        template hostile_mutant "$mutant"
        objecting=""
        for name in $(grep -E "^($wanted)" <<< "$races"); do [ -z "$(run_race "$name" hostile_mutant)" ] || objecting="$objecting $name"; done
        echo "$mutant:${objecting:- NOBODY OBJECTS}"
        [ -n "$objecting" ] || exit 1
    done <<'END'
f59|s/when not \(p.own or locked\) then 'not locked'/when false then null/
a_zone|s/lock table change, plan_read in share row exclusive mode/perform 1/
f48|s/pg_advisory_xact_lock_shared\(7310\)/1/
f48|s/perform pg_advisory_xact_lock\(7310\);/null;/
f08_a_report_waits_for_the_move|s/perform lock_within_a_second\(7310\)/null/
f08_a_report_waits_for_the_admission|s/perform lock_within_a_second\(7311\)/null/
f08_an_admission_waits|s/pg_advisory_xact_lock_shared\(7311\)/1/
f08_a_raise_waits|s/perform pg_advisory_xact_lock\(7311\);/null;/
f08_an_admission_waits_for_a_raise|s/not \(p.own or locked\) or \(p.kind = 'raise' and not locked\)/not (p.own or locked)/
f08_a_report_does_not_wait_for_ever|s/set lock_timeout = '1s'//
f49_a_pin|s/order by z.zone_group for share//
f49_a_move|s/order by z.zone_group for share//
END
    for mutant in "s/first_conflict\(a.plan, a.zone_group, p.base, t.tip\)/first_conflict(a.plan, a.zone_group, t.tip, t.tip)/" \
                  "s/newest.generation > above/newest.generation > above + 1/" "s/r.plan = of_plan and r.owner = ''/false/" \
                  "s/g.generation > above and g.generation <= upto\$/g.generation > above + 1 and g.generation <= upto/" \
                  "s/order by c.plan desc limit 1/order by c.plan limit 1/"; do
        template hostile_mutant "$mutant"
        objection=$(property hostile_mutant)
        echo "$mutant: ${objection:-NOBODY OBJECTS}"
        [ -n "$objection" ] || exit 1
    done
    exit 0
fi

# The cases and races in four parts at once, each with a database of its own.
template hostile_template
parts=4
run_part() {
    local part=$1 place=0 name got want cases="$work/cases"
    work="$work/$part" db="hostile_case_$part"
    mkdir -p "$work"
    ln -s "$cases" "$work/cases"
    for name in $2; do
        place=$((place+1)); [ $((place % parts)) = "$part" ] || continue
        got=$(run_case "$name" hostile_template); want=$(cat "$work/cases/$name/expect")
        if [ "$got" = "$want" ]; then echo "ok    $want  $name"; else echo "FAIL  $name: $got instead of $want"; fi
    done
    for name in $3; do
        place=$((place+1)); [ $((place % parts)) = "$part" ] || continue
        got=$(run_race "$name" hostile_template)
        if [ -z "$got" ]; then echo "ok    race   $name"; else echo "FAIL  race $name: $got"; fi
    done
}
pids=""
for part in $(seq 0 $((parts-1))); do
    (trap - EXIT; run_part "$part" "${2:-$names}" "$races") > "$work/part_$part" 2>&1 &
    pids="$pids $!"
done
wait $pids
objection=$(property hostile_template)
if [ -z "$objection" ]; then echo "ok    property.sql"; else echo "FAIL  property.sql: $objection"; fi > "$work/part_property"
cat "$work"/part_*
failed=$(cat "$work"/part_* | grep -c ^FAIL)
ran=$(cat "$work"/part_* | grep -cE '^(ok|FAIL) ')
wanted=$(($(echo ${2:-$names} $races | wc -w) + 1))
# A part that broke off has not shown what it left out.
[ "$ran" = "$wanted" ] || failed=$((failed + 1))
echo "$(echo ${2:-$names} | wc -w) cases, $(echo $races | wc -w) races, $failed failed"
exit $((failed > 0))
