//! The database itself: migrations, the owner's rights, and logins with the least that each program needs.

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Row};
use std::str::FromStr;
use std::time::Duration;

/// Every migration of this version, built in.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// The oldest Postgres that the schema works on, as `server_version_num`.
pub const POSTGRES_VERSION_MIN: i32 = 150_000;

/// Why the database could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The address does not parse, or nobody answers there.
    #[error("cannot use the database: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration failed, or the database was migrated by a newer version.
    #[error("cannot bring the database up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The login lacks something that an owner needs.
    #[error("the database login lacks what an owner needs:\n{}", .0.iter().map(|one| format!("  - {one}")).collect::<Vec<_>>().join("\n"))]
    Rights(Vec<String>),
}

/// Brings the schema up to date; safe to call by several programs at once.
///
/// # Errors
/// When the database cannot be reached, or a migration fails; what was applied before stays.
pub async fn migrate(owner_url: &str) -> Result<(), MigrateError> {
    migrate_by(&MIGRATIONS, owner_url).await
}

/// The same with other migrations than those built in: a test may ask what a schema without some guard lets through.
///
/// # Errors
/// As [`migrate`].
pub async fn migrate_by(migrations: &Migrator, owner_url: &str) -> Result<(), MigrateError> {
    let mut connection = connect(owner_url).await?;
    migrations.run(&mut connection).await?;
    // Programs look there whether the schema is at their version, before they say that they are ready.
    sqlx::query("grant select on _sqlx_migrations to holdfast_admit, holdfast_read, holdfast_enact")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}

/// Checks that this login may own a Holdfast database, before anything is written.
///
/// # Errors
/// [`MigrateError::Rights`] names everything that is missing, with the statement that grants it.
pub async fn check_owner_rights(owner_url: &str) -> Result<(), MigrateError> {
    let mut connection = connect(owner_url).await?;
    let row = sqlx::query(
        "select current_setting('server_version_num')::int as version, current_user::text as login, \
         current_database()::text as database, \
         (select rolcreaterole or rolsuper from pg_roles where rolname = current_user) as creates_roles, \
         has_database_privilege(current_database(), 'create') as creates_schemas, \
         has_schema_privilege('public', 'create') as creates_tables, \
         pg_has_role(current_user, (select datdba from pg_database where datname = current_database()), 'usage') as owns",
    )
    .fetch_one(&mut connection)
    .await?;
    let (login, database): (String, String) = (row.try_get("login")?, row.try_get("database")?);
    let mut missing = Vec::new();
    let version: i32 = row.try_get("version")?;
    if version < POSTGRES_VERSION_MIN {
        missing.push(format!("Postgres 15 or newer; this one is {}.{}", version / 10_000, version % 10_000));
    }
    if !row.try_get::<Option<bool>, _>("creates_roles")?.unwrap_or(false) {
        missing.push(format!("the right to create roles: alter role \"{login}\" createrole;"));
    }
    if !row.try_get::<bool, _>("owns")? {
        missing.push(format!("ownership of the database: alter database \"{database}\" owner to \"{login}\";"));
    }
    if !row.try_get::<bool, _>("creates_schemas")? || !row.try_get::<bool, _>("creates_tables")? {
        missing.push(format!("the right to create tables: grant create on schema public to \"{login}\";"));
    }
    connection.close().await?;
    if missing.is_empty() { Ok(()) } else { Err(MigrateError::Rights(missing)) }
}

/// Makes or updates a login that is a member of exactly the given Holdfast roles, with time-outs under which nobody
/// waits long for a program that was stopped.
///
/// # Errors
/// When the owner may not create roles, or the database cannot be reached.
pub async fn ensure_login(owner_url: &str, login: &str, password: &str, roles: &[&str]) -> Result<(), MigrateError> {
    let mut connection = connect(owner_url).await?;
    let mut transaction = connection.begin().await?;
    // Two starts at once must not both find the login missing.
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('holdfast login', 0))")
        .execute(&mut *transaction)
        .await?;
    let exists: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(login)
        .fetch_one(&mut *transaction)
        .await?;
    let verb = if exists { "alter" } else { "create" };
    // Role statements take no parameters, so `format` of the database itself does the quoting.
    let mut patterns = vec![format!("{verb} role %1$I login nocreatedb nocreaterole password %2$L")];
    patterns.extend(roles.iter().map(|role| format!("grant {role} to %1$I")));
    if roles == ["holdfast_serve"] {
        // Reports are said again every second, so a crash may forget the last ones; nobody should wait for the disk.
        patterns.push("alter role %1$I set synchronous_commit = off".to_owned());
    }
    patterns.extend(LOGIN_SETTINGS.iter().map(|(setting, value)| format!("alter role %1$I set {setting} = '{value}'")));
    for pattern in patterns {
        let statement: String = sqlx::query_scalar("select format($1, $2, $3)")
            .bind(pattern)
            .bind(login)
            .bind(password)
            .fetch_one(&mut *transaction)
            .await?;
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

/// Settings of every program's login. A large plan is staged in batches, so no single statement is long.
const LOGIN_SETTINGS: &[(&str, &str)] = &[
    ("statement_timeout", "60s"),
    ("lock_timeout", "3s"),
    ("idle_in_transaction_session_timeout", "3s"),
    ("tcp_user_timeout", "5s"),
    ("default_transaction_isolation", "read committed"),
    // Everything is found by index. A session that was planned while the tables were tiny would go on reading all of them.
    ("enable_seqscan", "off"),
    ("jit", "off"),
];

/// A pool of connections for a program, named in `pg_stat_activity`.
///
/// # Errors
/// When the address does not parse. The database itself is only asked when a connection is needed.
pub fn pool(url: &str, program: &str, connections_max: u32) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.application_name(program).statement_cache_capacity(256);
    Ok(pool_options(connections_max).connect_lazy_with(options))
}

/// A pool for loops whose statements are the same few for ever, and find what they need by index: planning them anew each
/// time would cost more than running them.
///
/// # Errors
/// When the address does not parse.
pub fn steady_pool(url: &str, program: &str, connections_max: u32) -> Result<PgPool, sqlx::Error> {
    let options =
        PgConnectOptions::from_str(url)?.application_name(program).options([("plan_cache_mode", "force_generic_plan")]);
    Ok(pool_options(connections_max).connect_lazy_with(options))
}

/// A connection that was idle for longer is asked whether it is still one: Postgres may have been replaced meanwhile. One in
/// use is not, which would cost a round trip each time.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

fn pool_options(connections_max: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(Duration::from_secs(300))
        .test_before_acquire(false)
        .before_acquire(|connection, used| {
            Box::pin(async move {
                if used.idle_for > TRUSTED_FOR {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    PgConnectOptions::from_str(url)?.application_name("holdfast owner").connect().await
}
