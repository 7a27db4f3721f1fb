-- What this snapshot sees, and of which line of which database: a restore begins a new one, and another database has another number.
SELECT pg_current_snapshot()::text AS "seen!",
    concat_ws('.', (SELECT system_identifier FROM pg_control_system()), substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
        (SELECT oid FROM pg_database WHERE datname = current_database())) AS "line!"
