-- Freezes a group (null: every group) in a ring (null: every ring), until it is thawed or until $5. When it has answered, no move is in flight. Commits by itself.
call freeze($1, $2, 'freeze', $3, $4, $6, $5, null)
