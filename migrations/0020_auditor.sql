-- The auditor: a role that reads what servers should answer, and may do one thing: freeze a group. It cannot thaw, move a head, give a verdict or admit.

do $$
begin
    begin
        create role holdfast_audit nologin;
    exception
        -- Another database of this cluster made it, or is making it right now (0001_roles.sql).
        when duplicate_object or unique_violation then null;
    end;
    if exists (select from pg_roles where rolname = 'holdfast_audit' and (rolsuper or rolbypassrls or rolreplication)) then
        raise exception 'role holdfast_audit exists, but as one whom no refusal binds (superuser, bypassrls or replication)';
    end if;
end
$$;
grant usage on schema public to holdfast_audit;

-- A group is frozen by the auditor once, however many auditors there are and however often they say it.
create unique index stop_auditor on stop (zone_group) where kind = 'auditor';

-- People write any stop, the auditor only its own kind, for one group, in every ring, until a person ends it. The triggers that stop a group whose history is behind
-- are the owner's, whom this does not concern.
alter table stop enable row level security;
create policy all_stops on stop for select using (true);
create policy stops_of_people on stop to holdfast_admit using (true) with check (true);
create policy stops_of_the_auditor on stop for insert to holdfast_audit
    with check (kind = 'auditor' and zone_group is not null and ring is null and until is null and token is null);

-- The auditor's door. `stop` is null where the auditor had stopped the group before. It commits by itself, like every door (0007_admit.sql).
create procedure freeze_as_auditor(p_group bigint, p_reason text, p_by text, inout stop bigint) language plpgsql as $$
begin
    set local lock_timeout = '10s';
    insert into stop (kind, zone_group, reason, by) values ('auditor', p_group, p_reason, p_by)
    on conflict (zone_group) where kind = 'auditor' do nothing returning stop.stop into stop;
    if found then
        insert into audit (by, act, detail, zone_group) values (p_by, 'freeze', jsonb_build_object('stop', stop, 'kind', 'auditor', 'reason', p_reason), p_group);
    end if;
    commit;
end
$$;
revoke execute on procedure freeze_as_auditor from public;

grant select on zone_group, zone, generation, change, server, report, stop, stop_in_force to holdfast_audit;
create policy servers_for_the_auditor on server for select to holdfast_audit using (true);
create policy reports_for_the_auditor on report for select to holdfast_audit using (true);
grant insert (kind, zone_group, reason, by) on stop to holdfast_audit;
grant insert (by, act, detail, zone_group) on audit to holdfast_audit;
grant execute on procedure freeze_as_auditor to holdfast_audit;
grant execute on function touched_at to holdfast_audit;
