-- Pins generation $2 of group $1 for reason $3, as token $4 named $5; refused below the floor. With its row in the audit log. Commits by itself.
call pin_generation($1, $2, $3, $4, $5, null)
