-- Ends a ring: it takes no more moves. Commits by itself.
call end_ring($1, $2, $3, $4)
