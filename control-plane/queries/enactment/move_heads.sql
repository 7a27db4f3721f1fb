-- Moves heads of ring $1 forward, by writing rows: the head is the greatest, so a late move has no effect. A row that is there already was another enactor's.
insert into head_move (zone_group, ring, generation, by)
select target.zone_group, $1, target.generation, $4 from unnest($2::bigint[], $3::bigint[]) as target (zone_group, generation)
on conflict do nothing
returning zone_group
