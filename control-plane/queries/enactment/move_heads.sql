-- Moves heads of ring $1 forward, by writing rows: the head is the greatest, so a late move has no effect. $4: the servers that are to prove each, where something is to be
-- proved. Commits by itself; `moved` are the groups whose rows are ours.
call enact($1, $2, $3, $4, $5, null)
