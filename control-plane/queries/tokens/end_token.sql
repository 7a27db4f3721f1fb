-- The living token of this name ends; and, in one statement, that it was ended: by the token $2, or by whom this connection belongs to, for want of a name $3. Its row
-- stays: plans refer to it.
WITH gone AS (
    UPDATE token SET ended = now() WHERE name = $1 AND ended IS NULL RETURNING token, name
), told AS (
    INSERT INTO audit (token, by, act, detail)
    SELECT $2, coalesce($3::text, current_user), 'end-token', jsonb_build_object('name', g.name) FROM gone g
)
SELECT token FROM gone
