-- Deletes $1 changes and $1 reads at most of plans that need them no more. Commits by itself.
call retire_leftovers($1, null)
