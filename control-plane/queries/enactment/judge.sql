-- Writes verdicts on generations of these ids, for ever; one that is there already stays. Commits by itself.
call judge($1, $2, $3, $4, $5, $6)
