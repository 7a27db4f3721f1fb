-- The living token of this name ends. Its row stays: plans refer to it.
UPDATE token SET ended = now() WHERE name = $1 AND ended IS NULL RETURNING token
