-- Ends the stops of exactly this group and ring; says how many. Commits by itself.
call thaw($1, $2, $3, $4, $5, null)
