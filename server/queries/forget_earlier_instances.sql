-- Earlier starts of this server serve nothing any more. Row level security lets a login see its own rows only.
delete from server where server = $1 and instance <> $2
