-- The ring of this name; or, without a name, the last one that is not delayed on purpose. Rings have no order among themselves yet, so `fleet` it is.
SELECT ring FROM ring WHERE ($1::text IS NULL AND ring <> 'delayed') OR ring = $1 ORDER BY ring = 'fleet' DESC, ring LIMIT 1
