-- Moves the head of group $1 in ring $2 to generation $3, with its audit row, if the triggers let it. Commits by itself.
call enact_by_hand($1, $2, $3, $4, $5, $6, null)
