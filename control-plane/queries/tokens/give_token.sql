-- A new token, unless a living one has its name; and, in one statement, that it was given: by the token $6, or by whom this connection belongs to, for want of a name $7.
WITH given AS (
    INSERT INTO token (name, hash, role, groups, suffixes) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (name) WHERE ended IS NULL DO NOTHING
    RETURNING name, role, groups, suffixes, created
), told AS (
    INSERT INTO audit (token, by, act, detail)
    SELECT $6, coalesce($7::text, current_user), 'give-token',
        jsonb_build_object('name', g.name, 'role', g.role, 'groups', g.groups, 'suffixes', g.suffixes)
    FROM given g
)
SELECT created FROM given
