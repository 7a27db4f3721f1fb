#!/bin/bash
# Runs hostile.sql, races.sql and property.sql against a private Postgres, as an owner who is no superuser; `run.sh mutants` takes out each guard and sees its cases object.
# Needs: PGHOST and PGPORT of a cluster to which user postgres may connect (it makes and drops databases named hostile…, and logins named hostile_…).
set -u
# Of the logins below; a cluster may ask for it, or not.
export PGPASSWORD=hostile
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
admin() { psql -qXAt -U postgres -d postgres -v ON_ERROR_STOP=1 "$@"; }

for pair in owner: admit:holdfast_admit enact:holdfast_enact serve:holdfast_serve read:holdfast_read; do
    admin -c "do \$\$ begin create role hostile_${pair%%:*}; exception when duplicate_object then null; end \$\$" \
        -c "alter role hostile_${pair%%:*} login createrole password '$PGPASSWORD'" 2>/dev/null
done
for role in admit enact serve read; do admin -c "alter role hostile_$role nocreaterole"; done

# template DATABASE [SED]: a database with our migrations, changed by a sed script, and the fixture.
template() {
    admin -c "drop database if exists $1 with (force)" -c "create database $1 owner hostile_owner" 2>/dev/null
    for file in "$here"/../0*.sql; do
        sed -E "${2:-}" "$file" > "$work/migration.sql"
        psql -qX -1 -U hostile_owner -d "$1" -v ON_ERROR_STOP=1 -f "$work/migration.sql" || { echo "migration $file does not run"; exit 1; }
    done
    for role in admit enact serve read; do admin -c "grant holdfast_$role to hostile_$role" 2>/dev/null; done
    psql -qX -U hostile_owner -d "$1" -v ON_ERROR_STOP=1 -f "$here/fixture.sql" > "$work/fixture.out" || { echo "the fixture does not run"; exit 1; }
}

# Cuts hostile.sql into $work/cases/NAME/{role,expect,setup,hostile,then}.
mkdir -p "$work/cases"
awk -v dir="$work/cases" '
    /^--! case /   { name = $3; system("mkdir -p " dir "/" name); part = ""; print name > (dir "/names"); next }
    /^--! role /   { print $3 > (dir "/" name "/role"); next }
    /^--! expect / { print $3 > (dir "/" name "/expect"); next }
    /^--! (setup|hostile|then)/ { part = $2; next }
    name && part   { print > (dir "/" name "/" part) }' "$here/hostile.sql"

# copy TEMPLATE: hostile_case as a copy of it. Rights on the database itself are not copied, so that line of 0001_roles.sql is said again.
copy() {
    admin -c "drop database if exists hostile_case with (force)" -c "create database hostile_case template $1 owner hostile_owner" \
        -c "revoke temporary on database hostile_case from public" 2>/dev/null
}

# run_case NAME TEMPLATE: prints what the case gave.
run_case() {
    local case="$work/cases/$1" role
    role=$(cat "$case/role")
    copy "$2"
    if [ -s "$case/setup" ]; then
        psql -qXAt -U hostile_owner -d hostile_case -v ON_ERROR_STOP=1 -f "$case/setup" > "$work/out" 2>&1 || { echo "SETUP $(grep -m1 ERROR "$work/out")"; return; }
    fi
    psql -qXAt -U "hostile_$role" -d hostile_case -v VERBOSITY=sqlstate -f "$case/hostile" > "$work/out" 2>&1
    local got
    got=$(grep -m1 -oE 'ERROR: +[A-Z0-9]{5}' "$work/out" | awk '{print $2}')
    got=${got:-none}
    if [ "$got" = none ] && [ -s "$case/then" ]; then
        [ "$(psql -qXAt -U hostile_owner -d hostile_case -f "$case/then" 2>&1)" = t ] || got="none, but then is not true"
    fi
    echo "$got"
}

# run_race NAME TEMPLATE: prints nothing when all went as written, else what did not.
run_race() {
    copy "$2"
    local steps="$work/race" line who rest n=0 answer
    awk -v name="$1" '/^--! race /{on = ($3 == name); next} on && NF' "$here/races.sql" > "$steps"
    for who in A B; do
        rm -f "$work/$who.in" "$work/$who.out"; mkfifo "$work/$who.in"; : > "$work/$who.out"
        psql -qXAt -U hostile_owner -d hostile_case -v VERBOSITY=sqlstate < "$work/$who.in" > "$work/$who.out" 2>&1 &
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
            "then: "*)     [ "$(psql -qXAt -U hostile_owner -d hostile_case -c "${line#then: }" 2>&1)" = t ] || echo "not true: ${line#then: }" ;;
        esac
    done < "$steps"
    exec 8>&- 9>&-
    wait
}

# property TEMPLATE: prints nothing when 5,000 random plans were all judged as by looking at every row, else the first disagreement.
property() { copy "$1"; psql -qXAt -U hostile_owner -d hostile_case -v rounds=5000 -f "$here/property.sql" 2>&1 | grep -m1 ERROR; }

names=$(cat "$work/cases/names")
races=$(awk '/^--! race /{print $3}' "$here/races.sql")

if [ "${1:-}" = mutants ]; then
    # A guard is a SQLSTATE in a function: taken out, at least one of its cases must no longer be refused with it, and each is named that still is.
    for code in HF001 HF002 HF003 HF004 HF005 HF006 HF007 HF008 HF009 HF010 HF011 HF012 HF013 HF014 HF015 HF016 HF017 HF018 HF019 HF020 HF021 HF022; do
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
    # What holds races together: the locks, and that the judging looks from the plan's own base.
    for mutant in "s/when not \(p.own or locked\) then 'not locked'/when false then null/" "s/lock table change, plan_read in share row exclusive mode/perform 1/" \
                  "s/pg_advisory_xact_lock\(7310\)/1/" "s/pg_advisory_xact_lock_shared\(7310\)/1/"; do
        template hostile_mutant "$mutant"
        objecting=""
        for name in $races; do [ -z "$(run_race "$name" hostile_mutant)" ] || objecting="$objecting $name"; done
        echo "$mutant:${objecting:- NOBODY OBJECTS}"
        [ -n "$objecting" ] || exit 1
    done
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

failed=0
template hostile_template
for name in ${2:-$names}; do
    got=$(run_case "$name" hostile_template); want=$(cat "$work/cases/$name/expect")
    if [ "$got" = "$want" ]; then echo "ok    $want  $name"; else echo "FAIL  $name: $got instead of $want"; failed=$((failed+1)); fi
done
for name in $races; do
    got=$(run_race "$name" hostile_template)
    if [ -z "$got" ]; then echo "ok    race   $name"; else echo "FAIL  race $name: $got"; failed=$((failed+1)); fi
done
objection=$(property hostile_template)
if [ -z "$objection" ]; then echo "ok    property.sql"; else echo "FAIL  property.sql: $objection"; failed=$((failed+1)); fi
echo "$(echo $names | wc -w) cases, $(echo $races | wc -w) races, $failed failed"
exit $((failed > 0))
