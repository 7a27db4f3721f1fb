-- The token that plans of break-glass are signed with: nobody knows its secret, and it had ended when it was made. The audit log says who it was.
with made as (
    insert into token (name, hash, role, ended)
    select 'break-glass', sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), 'operator', now()
    where not exists (select from token t where t.name = 'break-glass' and t.ended = t.created)
    returning token
)
select token as "token!" from made union all select token from token where name = 'break-glass' and ended = created limit 1
