-- Adds a ring or changes one; null leaves a setting as it is. Durations in seconds. Commits by itself.
call set_ring($1, $2, make_interval(secs => $3::float8), make_interval(secs => $4::float8), $5, $6, $7, $8)
