-- Living tokens in order of their names, from after $1 on, $2 at most.
SELECT name, role, groups, suffixes, created FROM token WHERE ended IS NULL AND name > $1 ORDER BY name LIMIT $2
