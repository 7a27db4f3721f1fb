-- Groups that the auditor has stopped, and nobody has thawed.
select s.zone_group as "zone_group!" from stop s where s.kind = 'auditor' and s.zone_group is not null
