-- Ends the stops of exactly group $1 and ring $2 (null is "every", not "any"); `thawed` says how many. Commits by itself.
call thaw($1, $2, $3, null, $4, null)
