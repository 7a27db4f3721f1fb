-- Raises the floor of group $1 to generation $2, unless it is there already, or $3 generations are not kept by it any more; refused above a head or a pin. Commits by itself.
call raise_floor($1, $2, null, $3)
