-- Stages a plan: its number is drawn here, after its base was read. Nobody sees it until a generation names it.
insert into plan (zone_group, base, token, reason, acknowledged, digest_delta, kind, through_freeze, rolled_back_to, changes, added, replaced, deleted, absent)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
returning plan
