-- Gives numbers to a group and to zones, except to those that have theirs already, in whatever group: the next read tells whose they are. Commits by itself.
call begin_zones($1, $2)
