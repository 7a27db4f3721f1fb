-- What enactors look at beside heads and verdicts: faults that servers report, and short ways to the few generations that decide something.

-- A server was told to install this, and refused. Its report says what it serves instead; a generation that is refused in the first ring has failed.
create table fault (
    server text collate "C" not null,
    instance uuid not null,
    zone_group bigint not null,
    generation bigint not null check (generation >= 1),
    id bytea not null check (length(id) = 32),
    why text not null check (length(why) between 1 and 1000),
    at timestamptz not null default now(),
    primary key (server, instance, zone_group),
    foreign key (server, instance) references server on delete cascade
) with (fillfactor = 50);
create trigger fault_never_truncated before truncate on fault for each statement execute function refuse_to_change();
alter table fault enable row level security;
create policy own_fault on fault to holdfast_serve
    using (exists (select from server s where s.server = fault.server and s.instance = fault.instance and s.login = current_user))
    with check (exists (select from server s where s.server = fault.server and s.instance = fault.instance and s.login = current_user));
create policy all_faults on fault for select to holdfast_admit, holdfast_enact, holdfast_read using (true);
grant select on fault to holdfast_admit, holdfast_enact, holdfast_read;
grant select, delete, insert, update (generation, id, why, at) on fault to holdfast_serve;

-- How long ago something was, in milliseconds. What a broken server wrote as its hour (it may be infinity) must not keep enactors from looking at all the others.
create function age_ms(since timestamptz, clock timestamptz) returns bigint language sql immutable as $$
    select case when isfinite(since) then least(greatest(extract(epoch from clock - since) * 1000, 0), 1e15)::bigint else 0 end
$$;

-- The newest generation above another one that no verdict and no rollback has put out. Nearly always the tip; a rollback is passed in one step, however far it went.
create function newest_movable(of_group bigint, above bigint) returns bigint language plpgsql stable
set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
    upto bigint := 9223372036854775807;
    found_one bigint;
    back_to bigint;
begin
    loop
        select g.generation into found_one from generation g where g.zone_group = of_group and g.generation > above and g.generation <= upto order by g.generation desc limit 1;
        if not found then
            return null;
        end if;
        select min(p.rolled_back_to) into back_to
        from plan p
        cross join lateral (select from generation r where r.plan = p.plan and r.generation > found_one offset 0) r
        where p.zone_group = of_group and p.kind = 'rollback' and p.rolled_back_to < found_one;
        if back_to is not null then
            upto := back_to;
        elsif exists (select from verdict v where v.zone_group = of_group and v.generation = found_one and not v.passed) then
            upto := found_one - 1;
        else
            return found_one;
        end if;
    end loop;
end
$$;

revoke execute on function newest_movable from public;
grant select (plan, zone_group, kind, through_freeze, rolled_back_to) on plan to holdfast_enact;
grant execute on function newest_movable to holdfast_enact, holdfast_read;
