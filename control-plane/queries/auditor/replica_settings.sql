-- For whom, or where, sessions begin as a replica's, for whom triggers do not fire.
select coalesce(r.rolname, 'everybody')::text || coalesce(' in ' || d.datname, '') as "whose!"
from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase
where exists (select from unnest(s.setconfig) as one (setting) where one.setting like 'session_replication_role=%' and one.setting <> 'session_replication_role=origin')
