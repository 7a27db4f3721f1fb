-- No move waits for this server any longer, and what it reported stops nothing. Commits by itself.
call forget_server($1, $2, $3, $4)
