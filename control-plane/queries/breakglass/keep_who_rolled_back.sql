-- That $1 rolled group $2 back to what stood at $3, which made generation $4, and why.
insert into audit (by, act, detail, zone_group)
values ($1, 'rollback', jsonb_build_object('to', $3::bigint, 'generation', $4::bigint, 'through_freeze', $6::boolean, 'reason', $5::text), $2)
