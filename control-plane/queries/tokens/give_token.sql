-- A new token, unless a living one has its name.
INSERT INTO token (name, hash, role, groups, suffixes) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) WHERE ended IS NULL DO NOTHING
RETURNING created
