#!/bin/bash
# Runs hostile*.sql, races*.sql and property*.sql against a private Postgres, as an owner who is no superuser; `run.sh only NAME…` some of them.
# `cargo xtask mutants` takes out each guard and sees that its cases object.
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

for pair in owner: admit:holdfast_admit enact:holdfast_enact retire:holdfast_retire serve:holdfast_serve read:holdfast_read audit:holdfast_audit; do
    admin -c "do \$\$ begin create role hostile_${pair%%:*}; exception when duplicate_object then null; end \$\$" \
        -c "alter role hostile_${pair%%:*} login createrole password '$PGPASSWORD'" 2>/dev/null
done
for role in admit enact retire serve read audit; do admin -c "alter role hostile_$role nocreaterole"; done

# template DATABASE: a database with our migrations, and the fixture.
template() {
    : > "$work/fresh"
    admin -c "drop database if exists $1 with (force)" -c "create database $1 owner hostile_owner" 2>/dev/null
    for file in "$here"/../0*.sql; do
        psql -qX -1 -U hostile_owner -d "$1" -v ON_ERROR_STOP=1 -f "$file" || { echo "migration $file does not run"; exit 1; }
    done
    for role in admit enact retire serve read audit; do admin -c "grant holdfast_$role to hostile_$role" 2>/dev/null; done
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

# The same of retirement: nothing prints when what can be read stayed the same at every step.
property_retirement() { copy "$1"; psql -qXAt -U hostile_owner -d "$db" -v rounds=60 -f "$here/property_retirement.sql" 2>&1 | grep -m1 ERROR; }

names=$(cat "$work/cases/names")
races=$(awk '/^--! race /{print $3}' "$here"/races*.sql)

# A few, one after another, as `cargo xtask mutants` asks for; `only all` is everything.
if [ "${1:-}" = only ] && [ "${2:-}" != all ]; then
    shift
    template hostile_template
    failed=0
    for name in "$@"; do
        if [ "$name" = property ]; then
            objection=$(property hostile_template)
            [ -z "$objection" ] && echo "ok    property.sql" || { echo "FAIL  property: $objection"; failed=1; }
        elif [ "$name" = property_retirement ]; then
            objection=$(property_retirement hostile_template)
            [ -z "$objection" ] && echo "ok    property_retirement.sql" || { echo "FAIL  property_retirement: $objection"; failed=1; }
        elif [ -d "$work/cases/$name" ]; then
            got=$(run_case "$name" hostile_template); want=$(cat "$work/cases/$name/expect")
            [ "$got" = "$want" ] && echo "ok    $want  $name" || { echo "FAIL  $name: $got instead of $want"; failed=1; }
        else
            got=$(run_race "$name" hostile_template | tr '\n' ' ')
            [ -z "$got" ] && echo "ok    race   $name" || { echo "FAIL  race $name: $got"; failed=1; }
        fi
    done
    exit $failed
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
    (trap - EXIT; run_part "$part" "$names" "$races") > "$work/part_$part" 2>&1 &
    pids="$pids $!"
done
wait $pids
objection=$(property hostile_template)
if [ -z "$objection" ]; then echo "ok    property.sql"; else echo "FAIL  property.sql: $objection"; fi > "$work/part_property"
objection=$(property_retirement hostile_template)
if [ -z "$objection" ]; then echo "ok    property_retirement.sql"; else echo "FAIL  property_retirement.sql: $objection"; fi >> "$work/part_property"
cat "$work"/part_*
failed=$(cat "$work"/part_* | grep -c ^FAIL)
ran=$(cat "$work"/part_* | grep -cE '^(ok|FAIL) ')
wanted=$(($(echo $names $races | wc -w) + 2))
# A part that broke off has not shown what it left out.
[ "$ran" = "$wanted" ] || failed=$((failed + 1))
echo "$(echo $names | wc -w) cases, $(echo $races | wc -w) races, $failed failed"
exit $((failed > 0))
