-- Servers and what they report to serve. Liveness, updated in place; a server's login sees and writes only rows of its own.

create table server (
    server text collate "C" not null check (length(server) between 1 and 255),
    -- Drawn by the program at each start.
    instance uuid not null,
    ring text collate "C" not null references ring,
    login name not null default current_user,
    started timestamptz not null default now(),
    seen timestamptz not null default now(),
    fault text,
    -- Where it answers DNS over TCP, as it says itself: ADDRESS:PORT. The auditor asks there.
    answers_at text check (length(answers_at) between 1 and 255),
    -- When an operator said not to wait for this server any more: moves before that expect it no longer.
    forgotten timestamptz,
    primary key (server, instance)
) with (fillfactor = 50);

create table report (
    server text collate "C" not null,
    instance uuid not null,
    -- What the server says it serves. It may say what nobody knows (a fork, a restored database): so neither of these refers to a row.
    zone_group bigint not null,
    generation bigint not null check (generation >= 1),
    id bytea not null check (length(id) = 32),
    at timestamptz not null default now(),
    primary key (server, instance, zone_group),
    foreign key (server, instance) references server on delete cascade
) with (fillfactor = 50);

create trigger server_never_truncated before truncate on server for each statement execute function refuse_to_change();
create trigger report_never_truncated before truncate on report for each statement execute function refuse_to_change();

-- The login is what the database knows of who is speaking; a name in a column is only what somebody says.
alter table server enable row level security;
create policy own_server on server to holdfast_serve using (login = current_user) with check (login = current_user);
create policy all_servers on server for select to holdfast_admit, holdfast_enact, holdfast_read using (true);

alter table report enable row level security;
create policy own_report on report to holdfast_serve
    using (exists (select from server s where s.server = report.server and s.instance = report.instance and s.login = current_user))
    with check (exists (select from server s where s.server = report.server and s.instance = report.instance and s.login = current_user));
create policy all_reports on report for select to holdfast_admit, holdfast_enact, holdfast_read using (true);

grant select on server, report to holdfast_admit, holdfast_enact, holdfast_read;
grant select, delete, insert (server, instance, ring, started, seen, fault, answers_at), update (seen, fault, answers_at) on server to holdfast_serve;
grant select, delete, insert, update (generation, id, at) on report to holdfast_serve;
