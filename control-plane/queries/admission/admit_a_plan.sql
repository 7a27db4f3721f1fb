-- Admits a plan as generation $18 of its group, unless somebody took the number since it was decided: the key is the compare-and-swap. Commits by itself.
call admit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, null, null)
