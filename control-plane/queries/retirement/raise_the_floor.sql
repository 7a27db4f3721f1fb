-- Raises the floor of group $1 to generation $2, unless it is there already; refused above a head or a pin. Commits by itself.
call raise_floor($1, $2, null)
