-- How many constraints of each kind (c check, f foreign key, p primary key, u unique) our tables have that hold for every row.
select c.conrelid::regclass::text as "table_name!", c.contype::text as "kind!", count(*) as "many!"
from pg_constraint c
where c.connamespace = 'public'::regnamespace and c.conrelid <> 0 and c.convalidated
group by 1, 2
