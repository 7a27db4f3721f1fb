-- Moves heads of ring $1 forward, by writing rows: the head is the greatest, so a late move has no effect. Commits by itself; `moved` are the groups whose rows are ours.
call enact($1, $2, $3, null, $4, null)
