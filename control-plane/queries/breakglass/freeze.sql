-- Freezes group $1 (null: every group) in ring $2 (null: every ring), for $5 seconds by the database's clock (null: until it is thawed). Commits by itself.
call freeze($1, $2, 'freeze', $3, null, $4, clock_timestamp() + make_interval(secs => $5::float8), null)
