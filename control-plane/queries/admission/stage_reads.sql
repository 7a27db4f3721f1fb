-- Stages what a plan's decision leans on besides the names that it changes; owner '' is a whole zone. Refused once a generation names the plan.
insert into plan_read (plan, zone, owner)
select distinct $1::bigint, r.zone, r.owner from unnest($2::bigint[], $3::text[]) as r (zone, owner)
