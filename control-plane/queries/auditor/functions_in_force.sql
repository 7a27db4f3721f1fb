-- The bodies of our functions and procedures.
select p.proname::text as "function!", p.prosrc as "body!" from pg_proc p where p.pronamespace = 'public'::regnamespace
