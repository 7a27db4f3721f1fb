-- The head of group $1 in ring $2.
select max(generation) from head_move where zone_group = $1 and ring = $2
