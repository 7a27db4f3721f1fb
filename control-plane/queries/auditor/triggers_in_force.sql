-- The triggers of our tables, and whether each fires as it should: `O`, always unless somebody plays a replica.
select t.tgrelid::regclass::text as "table_name!", t.tgname::text as "trigger!", t.tgenabled = 'O' as "fires!"
from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace = 'public'::regnamespace and (not t.tgisinternal or t.tgenabled <> 'O')
