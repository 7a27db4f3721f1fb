-- In these groups this instance refuses nothing any more.
delete from fault where server = $1 and instance = $2 and zone_group = any ($3)
