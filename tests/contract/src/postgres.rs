//! A real Postgres, behind its doors: plans go through the control plane's own store, all else through the calls that the
//! programs make.

use crate::memory::NEVER_DRAWN;
use crate::{Call, Doors, Layout, Outcome, Visible};
use control_plane::admission::{Idempotency, Submission};
use control_plane::database::pool;
use control_plane::store::{HistoryStore, ReadHistory, StagedPlan, StoreError, Write, Written};
use plan_rules::{Admission, Author, Role, Scope};
use simulation::words::Words;
use sqlx::{AssertSqlSafe, PgPool};
use std::collections::BTreeMap;
use test_support::TestPostgres;
use tokio::runtime::Runtime;
use uuid::Uuid;
use zone_model::{Name, Plan};

/// A database in Postgres.
pub struct Postgres {
    runtime: Runtime,
    words: Words,
    owner: PgPool,
    superuser: PgPool,
    store: HistoryStore,
    token: i64,
    staged: BTreeMap<usize, StagedPlan>,
    layout: Layout,
    _postgres: TestPostgres,
}

const PANICS: &str = "the tests' Postgres does what it is told";

impl Postgres {
    /// Makes one, with the simulation's groups and zones under the simulation's numbers.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let words = Words::default();
        let mut rows =
            String::from("insert into token (name, hash, role) values ('contract', sha256('x'), 'operator');");
        for group in &words.groups {
            rows += &format!("insert into zone_group (name) values ('{}');", group.name.as_str());
            for zone in &group.zones {
                let (name, of) = (&zone.name, group.name.as_str());
                let group = format!("select '{name}', zone_group from zone_group where name = '{of}'");
                rows += &format!("insert into zone (name, zone_group) {group};");
            }
        }
        let (postgres, owner, superuser, token) = runtime.block_on(async {
            let postgres = TestPostgres::start().await;
            let owner = pool(postgres.owner_url(), "contract", 1).expect(PANICS);
            let superuser = pool(postgres.superuser_url(), "contract", 1).expect(PANICS);
            sqlx::raw_sql(AssertSqlSafe(rows)).execute(&owner).await.expect(PANICS);
            let token = sqlx::query_scalar("select token from token").fetch_one(&owner).await.expect(PANICS);
            (postgres, owner, superuser, token)
        });
        let store = HistoryStore::new(owner.clone());
        let layout = Layout { rings: Vec::new(), servers: Vec::new() };
        let staged = BTreeMap::new();
        Self { runtime, words, owner, superuser, store, token, staged, layout, _postgres: postgres }
    }

    fn submission(&self, group: usize, admission: &Admission, key: Option<u32>) -> Submission {
        let plan = Plan::new(self.words.groups[group].name.clone(), admission.base);
        let idempotency = key.map(|key| Idempotency { key: key.to_string(), body_hash: [1; 32] });
        let author = Author { role: Role::Operator, scope: Scope::default() };
        Submission { plan, token: self.token, author, idempotency, dry_run: false }
    }

    fn zones(&self, group: usize) -> BTreeMap<Name, i64> {
        self.words.groups[group].zones.iter().map(|zone| (zone.name.clone(), zone.number)).collect()
    }

    fn stage(&self, group: usize, admission: &Admission) -> Result<StagedPlan, StoreError> {
        let mut read = ReadHistory::default();
        read.group = Some(group_number(group));
        read.zones = self.zones(group);
        self.runtime.block_on(self.store.stage(&self.submission(group, admission, None), admission, &read))
    }

    fn admit(
        &self,
        group: usize,
        admission: &Admission,
        key: Option<u32>,
        staged: Option<StagedPlan>,
    ) -> Result<Outcome, StoreError> {
        let (submission, zones) = (&self.submission(group, admission, key), &self.zones(group));
        let write = Write { submission, admission, group: group_number(group), zones, staged };
        Ok(match self.runtime.block_on(self.store.write(&[write]))? {
            Written::Admitted => Outcome::Admitted(admission.version),
            Written::LostRace => Outcome::LostRace,
            Written::KeyKnown => Outcome::KeyKnown,
        })
    }

    fn other(&self, call: &Call) -> Result<Outcome, sqlx::Error> {
        let ring = |ring: usize| self.layout.rings[ring].0.as_str().to_owned();
        let group = |group: Option<usize>| group.map(group_number);
        self.runtime.block_on(async {
            match call {
                Call::Move(one) => {
                    let expected = one.expected.as_ref().map(|names| names.iter().cloned().collect::<Vec<_>>());
                    let moved: Vec<i64> = sqlx::query_scalar(
                        "call enact($1, array [$2], array [$3], jsonb_build_array(to_jsonb($4::text[])), 'contract', null)",
                    )
                    .bind(ring(one.ring))
                    .bind(group_number(one.group))
                    .bind(one.to.generation.get())
                    .bind(expected)
                    .fetch_one(&self.owner)
                    .await?;
                    return Ok(Outcome::Moved(!moved.is_empty()));
                }
                Call::Judge(judge) => {
                    let (group, generation) = (group_number(judge.group), judge.generation.get());
                    match &judge.id {
                        Some(id) => {
                            let call = "call judge(array [$1], array [$2], array [$3], array ['tried'], 'contract', array [$4])";
                            let id = id.as_bytes().to_vec();
                            sqlx::query(call).bind(group).bind(generation).bind(judge.passed).bind(id).execute(&self.owner).await?
                        }
                        None => {
                            let call = "call fail($1, $2, 'tried', null, 'contract')";
                            sqlx::query(call).bind(group).bind(generation).execute(&self.owner).await?
                        }
                    }
                }
                Call::Stops(stops) => {
                    let call = if stops.freezes {
                        "call freeze($1, $2, 'freeze', 'tried', null, 'contract', null, null)"
                    } else {
                        "call thaw($1, $2, 'tried', null, 'contract', null)"
                    };
                    let ring = stops.ring.map(ring);
                    sqlx::query(call).bind(group(stops.group)).bind(ring).execute(&self.owner).await?
                }
                Call::Report { server, instance, group, version } => {
                    sqlx::query(
                        "insert into report (server, instance, zone_group, generation, id) values ($1, $2, $3, $4, $5) \
                         on conflict (server, instance, zone_group) \
                         do update set generation = excluded.generation, id = excluded.id, at = now()",
                    )
                    .bind(format!("server-{server}"))
                    .bind(Uuid::from_u128(u128::from(*instance)))
                    .bind(group_number(*group))
                    .bind(version.generation.get())
                    .bind(version.id.as_bytes().to_vec())
                    .execute(&self.owner)
                    .await?
                }
                Call::Start { server, instance } => {
                    let (name, instance) = (format!("server-{server}"), Uuid::from_u128(u128::from(*instance)));
                    sqlx::query("delete from server where server = $1 and instance <> $2")
                        .bind(&name)
                        .bind(instance)
                        .execute(&self.owner)
                        .await?;
                    sqlx::query("insert into server (server, instance, ring) values ($1, $2, $3) on conflict do nothing")
                        .bind(&name)
                        .bind(instance)
                        .bind(ring(self.layout.servers[*server]))
                        .execute(&self.owner)
                        .await?
                }
                Call::Floor { group, floor } => {
                    let set = "set session_replication_role = replica; update zone_group set floor";
                    let statement = format!("{set} = {floor} where zone_group = {}", group_number(*group));
                    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&self.superuser).await?
                }
                Call::Stage { .. } | Call::Admit { .. } => unreachable!("the store writes plans"),
            };
            Ok(Outcome::Done)
        })
    }
}

fn group_number(group: usize) -> i64 {
    group as i64 + 1
}

fn refused(error: &sqlx::Error) -> Outcome {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.map_or_else(|| panic!("{error}"), |code| Outcome::Refused(code.into_owned()))
}

fn refused_by_store(error: &StoreError) -> Outcome {
    match error {
        StoreError::Database(error) => refused(error),
        other => panic!("{other}"),
    }
}

impl Doors for Postgres {
    fn begin_anew(&mut self, layout: &Layout) {
        let mut statements = include_str!("begin_anew.sql").to_owned();
        for (name, ring) in &layout.rings {
            let (name, first, delay, servers) = (name.as_str(), ring.first, ring.delay.as_secs(), ring.servers_min);
            statements += "insert into ring (ring, first, delay, servers_min) ";
            statements += &format!("values ('{name}', {first}, '{delay} s', {servers});");
        }
        let done = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&self.superuser);
        self.runtime.block_on(done).expect(PANICS);
        self.layout = layout.clone();
        self.staged.clear();
    }

    fn call(&mut self, call: &Call) -> Outcome {
        match call {
            Call::Stage { handle, group, admission } => match self.stage(*group, admission) {
                Ok(number) => {
                    self.staged.insert(*handle, number);
                    Outcome::Staged
                }
                Err(error) => refused_by_store(&error),
            },
            Call::Admit { group, admission, key, staged } => {
                let never = StagedPlan(NEVER_DRAWN as i64);
                let staged = staged.map(|handle| self.staged.get(&handle).copied().unwrap_or(never));
                self.admit(*group, admission, *key, staged).unwrap_or_else(|error| refused_by_store(&error))
            }
            _ => self.other(call).unwrap_or_else(|error| refused(&error)),
        }
    }

    fn visible(&mut self) -> Visible {
        let lines = sqlx::query_scalar::<_, String>(include_str!("see.sql")).fetch_all(&self.owner);
        self.runtime.block_on(lines).expect(PANICS).into_iter().collect()
    }
}
