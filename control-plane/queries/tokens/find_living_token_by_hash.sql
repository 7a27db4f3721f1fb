-- The token with this hash, unless it has ended.
SELECT token, name, role, groups, suffixes FROM token WHERE hash = $1 AND ended IS NULL
