//! A migrated database of one's own.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher as _, DefaultHasher, Hasher as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr as _;

use private_postgres::{
    Cluster, Installation, Login, Purpose, RunningCluster, is_alive, socket_directory, who_runs_postgres,
};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::{block_on, place};

/// Names the superuser's address of a Postgres that a run of tests shares.
const SHARED: &str = "HOLDFAST_TEST_POSTGRES";
/// Names a folder of migrations to be applied in place of those built in: so that a mutant of the schema needs no compiler.
const MIGRATIONS: &str = "HOLDFAST_TEST_MIGRATIONS";
/// The roles that migrations make. They belong to the whole Postgres; from version 16 on only who made one may give it away.
const ROLES: [&str; 6] =
    ["holdfast_admit", "holdfast_audit", "holdfast_enact", "holdfast_read", "holdfast_retire", "holdfast_serve"];
/// The password of every owner. Nobody else reaches the socket.
const PASSWORD: &str = "test";

/// A database with all migrations, owned by a role that is no superuser.
///
/// In the Postgres that `HOLDFAST_TEST_POSTGRES` names, if it does; then it stays until this process is over, and a later
/// test removes it. (To drop a database waits for every connection that is being made, and one that is being made by this
/// very thread would never be.) Else in a Postgres of its own, which is gone when this is dropped.
#[derive(Debug)]
pub struct TestPostgres {
    database: String,
    owner_url: String,
    superuser_url: String,
    _own: Option<OwnPostgres>,
}

/// In this order: stopped, then removed.
#[derive(Debug)]
struct OwnPostgres {
    _running: RunningCluster,
    _home: TempDir,
}

impl TestPostgres {
    /// Makes the database.
    ///
    /// # Panics
    /// When that fails.
    pub async fn start() -> Self {
        let postgres = Self::start_empty().await;
        let done = match std::env::var_os(MIGRATIONS) {
            None => control_plane::database::migrate(&postgres.owner_url).await,
            Some(folder) => {
                let migrator = Migrator::new(Path::new(&folder)).await.expect("a folder of migrations");
                control_plane::database::migrate_by(&migrator, &postgres.owner_url).await
            }
        };
        done.expect("the migrations apply");
        postgres
    }

    /// Makes the database without any migration, for a caller that has no runtime.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn start_empty_blocking() -> Self {
        block_on(Self::start_empty())
    }

    /// Runs statements as the superuser.
    ///
    /// # Panics
    /// When the database refuses.
    pub fn execute_as_superuser(&self, statements: &str) {
        block_on(async {
            let mut superuser = connect(&self.superuser_url).await.expect("the superuser may log in");
            let done = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut superuser).await;
            done.unwrap_or_else(|why| panic!("{statements}: {why}"));
        });
    }

    /// Makes the database, and leaves it without any migration.
    ///
    /// # Panics
    /// When that fails.
    pub async fn start_empty() -> Self {
        let (superuser, own) = match std::env::var(SHARED) {
            Ok(shared) if !shared.is_empty() => (shared, None),
            _ => {
                let own = OwnPostgres::start();
                (own._running.cluster().superuser_url("postgres"), Some(own))
            }
        };
        let random = RandomState::new().build_hasher().finish();
        let database = format!("test_{}_{random:016x}", std::process::id());
        make(&superuser, &database).await;
        Self {
            owner_url: with_login(&in_database(&superuser, &database), &format!("{database}:{PASSWORD}")),
            superuser_url: in_database(&superuser, &database),
            database,
            _own: own,
        }
    }

    /// Its name, which is also the owner's, and begins with a letter and is at most 32 letters, digits and `_` long.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Its address for the owner.
    #[must_use]
    pub fn owner_url(&self) -> &str {
        &self.owner_url
    }

    /// Its address for the superuser, whom no refusal binds.
    #[must_use]
    pub fn superuser_url(&self) -> &str {
        &self.superuser_url
    }

    /// Its address for another login.
    #[must_use]
    pub fn url_of(&self, login: &str, password: &str) -> String {
        with_login(&self.superuser_url, &format!("{login}:{password}"))
    }
}

impl OwnPostgres {
    fn start() -> Self {
        let home = tempfile::Builder::new().prefix("holdfast-test-").tempdir().expect("a temporary directory");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o711)).expect("it is ours");
        copy(&template(), &home.path().join("postgres"));
        let running = start(home.path());
        Self { _running: running, _home: home }
    }
}

fn start(home: &Path) -> RunningCluster {
    RunningCluster::start(cluster(home), &home.join("log")).expect("Postgres starts")
}

fn cluster(home: &Path) -> Cluster {
    let user = who_runs_postgres().expect("somebody may run Postgres");
    let sockets = socket_directory(&home.join("sockets"), user.as_ref()).expect("a place for the socket");
    Cluster::at(&home.join("postgres"), &sockets).expect("Postgres is installed")
}

/// A cluster that was made before, to be copied: that is faster than making one.
fn template() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    hasher.write(Purpose::Throwaway.settings().as_bytes());
    let major = Installation::all().first().map(Installation::major).expect("Postgres is installed");
    let kept = place::target().join(format!("postgres-template-{major}-{:08x}", hasher.finish() >> 32));
    if !kept.is_dir() {
        let beside = tempfile::Builder::new().prefix("postgres-template-new-").tempdir_in(place::target());
        let beside = beside.expect("the target directory takes directories");
        fs::set_permissions(beside.path(), fs::Permissions::from_mode(0o711)).expect("it is ours");
        let nobody = Login { name: "nobody".to_owned(), password: PASSWORD.to_owned() };
        cluster(beside.path()).create(&nobody, Purpose::Throwaway).expect("a cluster is made");
        // Another test may have been faster; then this one goes with its directory.
        let _there_already = fs::rename(beside.path().join("postgres"), &kept);
    }
    kept
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().expect("cp runs");
    assert!(copied.success(), "{} cannot be copied to {}", from.display(), to.display());
}

async fn make(superuser: &str, database: &str) {
    let mut superuser = connect(superuser).await.expect("the superuser may log in");
    drop_what_dead_tests_left(&mut superuser).await;
    let version: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int")
        .fetch_one(&mut superuser)
        .await
        .expect("Postgres knows its version");
    let mut statements = vec![format!("create role {database} login createrole password '{PASSWORD}'")];
    if version >= 160_000 {
        statements.extend(ROLES.iter().map(|role| {
            format!(
                "do $$ begin create role {role} nologin; exception when duplicate_object or unique_violation then null; end $$"
            )
        }));
        statements
            .extend(ROLES.iter().map(|role| format!("grant {role} to {database} with admin true, inherit false")));
    }
    statements.push(format!("create database {database} owner {database}"));
    for statement in statements {
        let done = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut superuser).await;
        done.unwrap_or_else(|why| panic!("{statement}: {why}"));
    }
    superuser.close().await.expect("it says goodbye");
}

async fn drop_what_dead_tests_left(superuser: &mut PgConnection) {
    let found = sqlx::query_scalar("select datname::text from pg_database where datname like 'test\\_%'")
        .fetch_all(&mut *superuser)
        .await;
    let names: Vec<String> = found.expect("Postgres knows its databases");
    let left = names.iter().filter(|name| {
        let pid = name.split('_').nth(1).and_then(|pid| pid.parse().ok());
        pid.is_some_and(|pid| !is_alive(pid))
    });
    for name in left {
        let statement = format!("drop database if exists {name} with (force)");
        let _another_test_may_be_at_it = sqlx::query(AssertSqlSafe(statement)).execute(&mut *superuser).await;
    }
}

async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    PgConnectOptions::from_str(url)?.application_name("test").connect().await
}

/// The same place, another database.
fn in_database(url: &str, database: &str) -> String {
    let (place, settings) =
        url.split_once('?').map_or((url, String::new()), |(place, rest)| (place, format!("?{rest}")));
    let place = place.rsplit_once('/').map_or(place, |(place, _)| place);
    format!("{place}/{database}{settings}")
}

/// The same place, another login.
fn with_login(url: &str, login: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("an address of a database");
    let place = rest.split_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{login}@{place}")
}
