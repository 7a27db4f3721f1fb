-- Freezes group $1; no `stop` where the auditor had done so before. Commits by itself.
call freeze_as_auditor($1, $2, $3, null)
