//! Barriers between statements inside the database: so that a test is in the narrow window that it talks about, and does not hope to be.
//!
//! A barrier is a trigger that waits for an advisory lock. It stops only sessions that were told to stop there, and only while
//! it is closed. Triggers of one event run in the order of their names, so a name says between which guards it stands: `aa_…` before all,
//! `zz_…` after all.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgQueryResult};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tokio::task::JoinHandle;

use crate::TestPostgres;

/// Where a session can be stopped: the barrier's name, and the event of whose triggers it is one.
const POINTS: &[(&str, &str)] = &[
    ("zz_plan_is_written", "after insert on plan"),
    ("aa_plan_is_deleted", "after delete on plan"),
    ("zz_deletion_of_a_plan_is_judged", "after delete on plan"),
    ("aa_changes_are_written", "after insert on change"),
    ("zz_changes_are_judged", "after insert on change"),
    ("aa_reads_are_written", "after insert on plan_read"),
    ("zz_reads_are_judged", "after insert on plan_read"),
    ("aa_generation_begins", "before insert on generation"),
    ("aa_generation_is_written", "after insert on generation"),
    ("zz_generation_is_judged", "after insert on generation"),
    ("aa_move_begins", "before insert on head_move"),
    ("zz_move_has_its_lock", "before insert on head_move"),
    ("aa_move_is_written", "after insert on head_move"),
    // After move_is_…, before a guard that would come too late.
    ("move_k_is_judged", "after insert on head_move"),
    ("zz_move_is_judged", "after insert on head_move"),
    ("aa_moves_are_deleted", "after delete on head_move"),
    ("zz_deletion_of_moves_is_judged", "after delete on head_move"),
    ("aa_floor_rises", "after update on zone_group"),
    ("zz_floor_is_judged", "after update on zone_group"),
    ("aa_pin_is_set", "after insert on pin"),
    ("zz_pin_is_judged", "after insert on pin"),
    ("aa_stop_begins", "before insert on stop"),
    ("zz_stop_has_its_lock", "before insert on stop"),
    ("zz_act_is_written", "after insert on audit"),
    ("aa_verdict_is_written", "after insert on verdict"),
    ("zz_verdict_is_judged", "after insert on verdict"),
];

const FIXTURE: &str = include_str!("../../../migrations/tests/fixture.sql");
/// Of the advisory locks nobody else uses this one.
const LOCK: i64 = 7_777_000;
/// Long enough for a machine that does ten other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database with barriers.
#[derive(Debug)]
pub struct Barriers {
    url: String,
    control: PgConnection,
    // In this order: first who asks, then whom.
    _postgres: TestPostgres,
}

/// A statement on its way, in a session of its own.
#[derive(Debug)]
pub struct Act {
    backend: i32,
    done: JoinHandle<Result<PgQueryResult, sqlx::Error>>,
}

impl Barriers {
    /// Puts the barriers into a database with what the schema's own tests start from, all open.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn on_the_fixture() -> Self {
        let postgres = TestPostgres::start().await;
        let url = postgres.superuser_url().to_owned();
        let mut control = connect(&url, None).await;
        let triggers = POINTS.iter().map(|(name, event)| {
            format!("create trigger {name} {event} for each statement execute function barrier.stop();")
        });
        let statements = format!(
            "create schema barrier; grant usage on schema barrier to public;
             create function barrier.stop() returns trigger language plpgsql set lock_timeout = 0 set statement_timeout = 0 as $$
             begin
                 if current_setting('barrier.at', true) = tg_name then
                     perform pg_advisory_lock_shared({LOCK});
                     perform pg_advisory_unlock_shared({LOCK});
                 end if;
                 return null;
             end
             $$;
             {}",
            triggers.collect::<String>()
        );
        run(&mut control, &statements).await;
        run(&mut control, FIXTURE).await;
        Self { url, control, _postgres: postgres }
    }

    /// Closes every barrier, starts the statement, and waits until it stands at the barrier `at`.
    ///
    /// # Panics
    /// When it ends before it gets there.
    pub async fn stopped_at(&mut self, at: &str, statement: &str) -> Act {
        assert!(POINTS.iter().any(|(name, _)| *name == at), "there is no barrier {at}");
        run(
            &mut self.control,
            &format!(
                "select pg_advisory_lock({LOCK}) where not exists (
            select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted)"
            ),
        )
        .await;
        let act = self.start(Some(at), statement).await;
        self.waits(&act).await;
        act
    }

    /// Lets everybody through.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn open(&mut self) {
        run(&mut self.control, "select pg_advisory_unlock_all()").await;
    }

    /// Starts a statement in a session that no barrier stops.
    ///
    /// # Panics
    /// When the database cannot be reached.
    pub async fn begin(&mut self, statement: &str) -> Act {
        self.start(None, statement).await
    }

    /// Waits until the statement waits: for a lock of somebody, or at its barrier.
    ///
    /// # Panics
    /// When it ends in place of waiting.
    pub async fn waits(&mut self, act: &Act) {
        let query = format!("select cardinality(pg_blocking_pids({})) > 0", act.backend);
        let start = std::time::Instant::now();
        loop {
            let waits: bool = sqlx::query_scalar(AssertSqlSafe(query.clone()))
                .fetch_one(&mut self.control)
                .await
                .expect("the database answers");
            if waits {
                return;
            }
            assert!(!act.done.is_finished(), "it did not wait");
            assert!(start.elapsed() < PATIENCE, "it neither waits nor ends");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Runs a statement to its end in a session of its own.
    ///
    /// # Errors
    /// What the database says.
    pub async fn at_once(&mut self, statement: &str) -> Result<PgQueryResult, sqlx::Error> {
        self.start(None, statement).await.end().await
    }

    /// Whether a query says so.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn says(&mut self, query: &str) -> bool {
        let answer = sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut self.control).await;
        answer.unwrap_or_else(|why| panic!("{query}: {why}"))
    }

    async fn start(&mut self, at: Option<&str>, statement: &str) -> Act {
        let mut connection = connect(&self.url, at).await;
        let backend =
            sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await.expect("it has a number");
        let statement = statement.to_owned();
        let done = tokio::spawn(async move { sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await });
        Act { backend, done }
    }
}

impl Act {
    /// How it ended.
    ///
    /// # Errors
    /// What the database says.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn end(self) -> Result<PgQueryResult, sqlx::Error> {
        let done = tokio::time::timeout(PATIENCE, self.done).await.expect("it ends");
        done.expect("it does not panic")
    }

    /// The SQLSTATE with which it was refused; none when it went through.
    ///
    /// # Panics
    /// When it does not end, or the connection fails.
    pub async fn refusal(self) -> Option<String> {
        let why = self.end().await.err()?;
        let told = why.as_database_error().unwrap_or_else(|| panic!("{why}"));
        told.code().map(std::borrow::Cow::into_owned)
    }
}

async fn connect(url: &str, at: Option<&str>) -> PgConnection {
    let mut options: PgConnectOptions = url.parse().expect("an address of a database");
    if let Some(at) = at {
        options = options.options([("barrier.at", at)]);
    }
    options.application_name("barriers").connect().await.expect("the superuser may log in")
}

async fn run(connection: &mut PgConnection, statements: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(connection).await;
    done.unwrap_or_else(|why| panic!("{statements}: {why}"));
}
