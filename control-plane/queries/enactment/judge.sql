-- Writes verdicts, for ever; one that is there already stays. Commits by itself.
call judge($1, $2, $3, $4, $5)
