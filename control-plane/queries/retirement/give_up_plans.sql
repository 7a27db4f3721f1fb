-- Gives up those of the $2 plans after plan $1 that nobody had admitted within an hour. Commits by itself.
call give_up_plans($1, $2, null, null)
