-- The ring of this name; or, without a name, the one that most servers follow as a rule: `fleet`, else one that is not delayed on purpose, the first ring last.
SELECT ring FROM ring
WHERE ended IS NULL AND ($1::text IS NULL OR ring = $1)
ORDER BY delay > '0', ring <> 'fleet', first, ring
LIMIT 1
