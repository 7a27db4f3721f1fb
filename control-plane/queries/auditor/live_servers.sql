-- Live servers that say where they answer; of several instances of one name the one that started last.
select distinct on (s.server) s.server, s.instance, s.answers_at as "answers_at!"
from server s
where s.forgotten is null and s.answers_at is not null and s.seen > clock_timestamp() - interval '3 seconds'
order by s.server, s.started desc
