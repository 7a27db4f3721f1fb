-- Says that a generation failed, for ever. Commits by itself.
call fail($1, $2, $3, $4, $5)
