-- Deletes moves and verdicts of group $1 below its floor, $2 of each at most. Commits by itself.
call retire_moves($1, $2, null)
