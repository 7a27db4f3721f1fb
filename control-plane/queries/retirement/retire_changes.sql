-- Deletes what $2 changes or so, of the generations of group $1 at or below its floor that come next, have made obsolete. Commits by itself.
call retire_changes($1, $2, null, null)
