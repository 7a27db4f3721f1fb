-- Looks at the next $2 generations of group $1 that are old enough, and forgets those of whose plans nothing stands. Commits by itself.
call forget_generations($1, $2, null, null)
