//! A private Postgres with the migrations applied, and the history written into it as the control plane would.

use super::History;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use zone_model::Id;

/// Sends everybody away, and lets nobody in.
const AWAY: [&str; 2] = [
    "alter database postgres with allow_connections false",
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = 'postgres'",
];

pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    user: Option<(u32, u32)>,
    pub port: u16,
}

/// Whether the database has its say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The triggers judge what is written.
    Guarded,
    /// They are off, as only a superuser can have it.
    Forced,
}

impl Postgres {
    /// A new one; none where Postgres is not installed, which CI does not accept.
    pub async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(std::env::var_os("CI").is_none(), "Postgres is not installed");
            println!("skipped: Postgres is not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let user = unprivileged();
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let port = super::free_port();
        let this = Self { programs, folder, user, port };
        this.call("initdb", &["-A", "trust", "-U", "owner", "-N", "-D", &this.data()]);
        this.begin();
        this.migrate().await;
        Some(this)
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn call(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(self.folder.path()).stdout(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        assert!(command.status().unwrap().success(), "{program} {arguments:?}");
    }

    /// Starts the server, at first or again.
    pub fn begin(&self) {
        let folder = self.folder.path().display();
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories={folder} -c fsync=off",
            self.port
        );
        let log = self.folder.path().join("log").display().to_string();
        self.call("pg_ctl", &["-D", &self.data(), "-l", &log, "-o", &options, "-w", "start"]);
    }

    /// Stops the server at once.
    pub fn end(&self) {
        self.call("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    /// As whom the server under test comes.
    pub fn url(&self) -> String {
        format!("postgres://resolver@127.0.0.1:{}/postgres", self.port)
    }

    /// The owner, who is a superuser here so that tests can do damage.
    pub async fn owner(&self) -> PgConnection {
        let options = PgConnectOptions::new().host("127.0.0.1").port(self.port).username("owner").database("postgres");
        options.disable_statement_logging().connect().await.unwrap()
    }

    /// Keeps a copy of the database as it is, and everybody away from it meanwhile.
    pub async fn back_up(&self) {
        let mut other = self.beside().await;
        for statement in AWAY {
            run(&mut other, statement).await;
        }
        run(&mut other, "create database backup template postgres").await;
        run(&mut other, "alter database postgres with allow_connections true").await;
    }

    /// Puts a copy of the backup in the place of the database.
    pub async fn restore(&self) {
        let mut other = self.beside().await;
        for statement in AWAY {
            run(&mut other, statement).await;
        }
        run(&mut other, "drop database postgres").await;
        run(&mut other, "create database postgres template backup").await;
    }

    /// A connection to another database of the cluster.
    async fn beside(&self) -> PgConnection {
        let options = PgConnectOptions::new().host("127.0.0.1").port(self.port).username("owner").database("template1");
        options.disable_statement_logging().connect().await.unwrap()
    }

    async fn migrate(&self) {
        // A mutant of the schema is tried by naming its folder.
        let folder = std::env::var_os("HOLDFAST_TEST_MIGRATIONS").map(PathBuf::from);
        let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations"));
        let mut owner = self.owner().await;
        sqlx::migrate::Migrator::new(folder).await.unwrap().run(&mut owner).await.unwrap();
        run(&mut owner, "create role resolver login; grant holdfast_serve to resolver").await;
    }

    /// Writes the generations above `above`, and moves the head of `fleet` to the last of them.
    pub async fn write(&self, history: &History, above: usize) {
        self.write_on(history, above, None, Rule::Guarded).await;
    }

    /// Writes the first generations of many groups at once, and moves the heads of `fleet` to them: as somebody whom no trigger
    /// binds, because one by one they would take minutes.
    pub async fn write_beginnings(&self, histories: &[History]) {
        let mut owner = self.owner().await;
        run(&mut owner, "set session_replication_role = replica").await;
        let groups: Vec<i64> = histories.iter().map(|history| history.group.0).collect();
        let names: Vec<String> = histories.iter().map(|history| history.name.clone()).collect();
        let heads = histories.iter().map(|history| history.head(1));
        let (ids, digests): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
            heads.map(|head| (head.version.id.as_bytes().to_vec(), head.digest.as_bytes().to_vec())).unzip();
        sqlx::query(
            "with made as (
                insert into zone_group (zone_group, name) overriding system value select * from unnest($1::bigint[], $2::text[])
            ), planned as (
                insert into plan (plan, zone_group, base, digest_delta, changes, added, replaced, deleted, absent)
                select g, g, 0, sha256(''), 1, 1, 0, 0, 0 from unnest($1::bigint[]) g
            ), generated as (
                insert into generation (zone_group, generation, plan, id, digest)
                select g, 1, g, id, digest from unnest($1::bigint[], $3::bytea[], $4::bytea[]) as t (g, id, digest)
            )
            insert into head_move (zone_group, ring, generation, by) select g, 'fleet', 1, 'test' from unnest($1::bigint[]) g",
        )
        .bind(&groups)
        .bind(&names)
        .bind(&ids)
        .bind(&digests)
        .execute(&mut owner)
        .await
        .unwrap();
        let (mut zones, mut all) = (Vec::new(), Vec::new());
        for history in histories {
            let (touched, rows, _) = history.changes(0, 1);
            let group = history.group.0;
            all.extend(touched.iter().map(|zone| (group, zone.zone.0, String::new(), 65_536, 0, Some(vec![1]))));
            zones.extend(touched.into_iter().map(|zone| (zone.zone.0, zone.name.to_string(), group)));
            all.extend(rows.into_iter().map(|row| (group, row.zone, row.owner, row.rtype, row.covered, row.value)));
        }
        sqlx::query("insert into zone (zone, name, zone_group) overriding system value select * from unnest($1::bigint[], $2::text[], $3::bigint[])")
            .bind(zones.iter().map(|zone| zone.0).collect::<Vec<_>>())
            .bind(zones.iter().map(|zone| zone.1.clone()).collect::<Vec<_>>())
            .bind(zones.iter().map(|zone| zone.2).collect::<Vec<_>>())
            .execute(&mut owner)
            .await
            .unwrap();
        sqlx::query("insert into change (plan, zone, owner, type, covered, value) select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[], $5::int[], $6::bytea[])")
            .bind(all.iter().map(|row| row.0).collect::<Vec<_>>())
            .bind(all.iter().map(|row| row.1).collect::<Vec<_>>())
            .bind(all.iter().map(|row| row.2.clone()).collect::<Vec<_>>())
            .bind(all.iter().map(|row| row.3).collect::<Vec<_>>())
            .bind(all.iter().map(|row| row.4).collect::<Vec<_>>())
            .bind(all.iter().map(|row| row.5.clone()).collect::<Vec<_>>())
            .execute(&mut owner)
            .await
            .unwrap();
        run(&mut owner, "select setval('plan_number', (select max(plan) from plan)); analyze; notify holdfast_moved")
            .await;
    }

    /// As [`Postgres::write`], where the database should refuse it: as somebody whom no trigger binds.
    pub async fn write_by_force(&self, history: &History, above: usize) {
        self.write_on(history, above, None, Rule::Forced).await;
    }

    /// The same, the first of them having another parent than the history says.
    pub async fn write_on(&self, history: &History, above: usize, parent: impl Into<Option<Id>>, rule: Rule) {
        let mut owner = self.owner().await;
        self.write_generations(&mut owner, history, above, (parent.into(), rule)).await;
        self.move_head(&mut owner, history, history.tip()).await;
    }

    /// Writes the generations above `above`, and leaves the head where it is.
    pub async fn write_below_the_head(&self, history: &History, above: usize) {
        let mut owner = self.owner().await;
        self.write_generations(&mut owner, history, above, (None, Rule::Guarded)).await;
    }

    async fn write_generations(
        &self,
        owner: &mut PgConnection,
        history: &History,
        above: usize,
        (mut parent, rule): (Option<Id>, Rule),
    ) {
        if rule == Rule::Forced {
            run(owner, "set session_replication_role = replica").await;
        }
        for generation in above + 1..=history.tip() {
            let mut transaction = owner.begin().await.unwrap();
            let group: i64 = sqlx::query_scalar(
                "insert into zone_group (zone_group, name) overriding system value values ($2, $1) on conflict (name) do nothing returning zone_group",
            )
            .bind(&history.name)
            .bind(history.group.0)
            .fetch_optional(&mut *transaction)
            .await
            .unwrap()
            .unwrap_or(history.group.0);
            assert_eq!(group, history.group.0, "groups are written in the order of their numbers");
            let (_, rows, _) = history.changes(generation - 1, generation);
            let base = if generation == 1 { 0 } else { history.head(generation - 1).version.generation.get() };
            let plan: i64 = sqlx::query("insert into plan (plan, zone_group, base, digest_delta, changes, added, replaced, deleted, absent) values (nextval('plan_number'), $1, $2, $3, 1, 1, 0, 0, 0) returning plan")
                .bind(group)
                .bind(base)
                .bind(vec![0_u8; 32])
                .fetch_one(&mut *transaction)
                .await
                .unwrap()
                .get(0);
            let mut zones: Vec<i64> = rows.iter().map(|row| row.zone).collect();
            zones.dedup();
            for zone in &zones {
                let name = history.zone_name(server::snapshot::ZoneNumber(*zone)).to_string();
                sqlx::query("insert into zone (zone, name, zone_group) overriding system value values ($1, $2, $3) on conflict do nothing")
                    .bind(zone).bind(name).bind(group).execute(&mut *transaction).await.unwrap();
            }
            let touched = zones.iter().map(|zone| (*zone, String::new(), 65_536, 0, Some(vec![1])));
            let content = rows.into_iter().map(|row| (row.zone, row.owner, row.rtype, row.covered, row.value));
            let all: Vec<_> = touched.chain(content).collect();
            sqlx::query("insert into change (zone, owner, type, covered, plan, value) select c.zone, c.owner, c.type, c.covered, $6, c.value from unnest($1::bigint[], $2::text[], $3::int[], $4::int[], $5::bytea[]) as c (zone, owner, type, covered, value)")
                .bind(all.iter().map(|row| row.0).collect::<Vec<_>>())
                .bind(all.iter().map(|row| row.1.clone()).collect::<Vec<_>>())
                .bind(all.iter().map(|row| row.2).collect::<Vec<_>>())
                .bind(all.iter().map(|row| row.3).collect::<Vec<_>>())
                .bind(all.iter().map(|row| row.4.clone()).collect::<Vec<_>>())
                .bind(plan)
                .execute(&mut *transaction)
                .await
                .unwrap();
            let head = history.head(generation);
            let own_id = head.version.id;
            let id = parent.take().map_or(own_id, |parent| Id::of(&parent, head.version.generation, &head.digest));
            sqlx::query(
                "insert into generation (zone_group, generation, plan, parent, id, digest) values ($1, $2, $3, (select g.id from generation g where g.zone_group = $1 and g.generation < $2 order by g.generation desc limit 1), $4, $5)",
            )
            .bind(group)
            .bind(head.version.generation.get())
            .bind(plan)
            .bind(id.as_bytes().to_vec())
            .bind(head.digest.as_bytes().to_vec())
            .execute(&mut *transaction)
            .await
            .unwrap();
            transaction.commit().await.unwrap();
        }
    }

    /// Moves the head of `fleet` to the generation of this place, and gives notice of it.
    pub async fn move_head(&self, owner: &mut PgConnection, history: &History, place: usize) {
        sqlx::query("insert into head_move (zone_group, ring, generation, by) values ($1, 'fleet', $2, 'test')")
            .bind(history.group.0)
            .bind(history.head(place).version.generation.get())
            .execute(&mut *owner)
            .await
            .unwrap();
        run(owner, "notify holdfast_moved").await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = Command::new(self.programs.join("pg_ctl"));
        stop.args(["-D", &self.data(), "-m", "immediate", "stop"]).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((uid, gid)) = self.user {
            stop.uid(uid).gid(gid);
        }
        let _ = stop.status();
    }
}

/// Runs statements, whatever they give back.
pub async fn run(connection: &mut PgConnection, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(connection).await.unwrap();
}

fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.into_iter().rev().chain(std::env::split_paths(&path)).find(|folder| folder.join("initdb").is_file())
}

/// Postgres refuses to run as root; there is a user for it then.
fn unprivileged() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let fields =
        users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == "postgres").unwrap();
    Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
}
