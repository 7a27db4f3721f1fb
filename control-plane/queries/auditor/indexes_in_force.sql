-- Our unique indexes that hold.
select c.relname::text as "index_name!" from pg_index i join pg_class c on c.oid = i.indexrelid
where c.relnamespace = 'public'::regnamespace and i.indisunique and i.indisvalid
