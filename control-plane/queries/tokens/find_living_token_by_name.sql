-- The hash and role of the living token of this name.
SELECT hash, role, groups IS NULL AND suffixes IS NULL AS "everywhere!" FROM token WHERE name = $1 AND ended IS NULL
