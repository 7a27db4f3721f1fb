//! A migrated database, APIs that meet in it, and plans to post.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "test helpers: each file uses its own part, and panics are how a test fails"
)]

use control_plane::admission::{AdmissionError, Admissions, Admitted, Idempotency, Submission};
use control_plane::notices::{ADMITTED, Notices};
use control_plane::store::HistoryStore;
use control_plane::{database, tokens};
use plan_rules::{Author, Role, Scope};
use sqlx::{AssertSqlSafe, PgPool};
use std::collections::BTreeMap;
use std::sync::Arc;
use test_support::TestPostgres;
use tokio_util::sync::CancellationToken;
use zone_model::{
    Base, Content, Delete, Digest, Edit, GroupName, Key, Name, Placed, Plan, RecordData, RecordSet, RecordType,
    ZoneChange, ZoneContents,
};

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn addresses(owner: &str, last: &[u8]) -> RecordSet {
    let data = last.iter().map(|last| RecordData::from_wire(RecordType::A, &[192, 0, 2, *last]).unwrap());
    RecordSet::new(name(owner), RecordType::A, 60, data.collect()).unwrap()
}

fn placed<T>(values: Vec<T>) -> Vec<Placed<T>> {
    values.into_iter().enumerate().map(|(index, value)| Placed { place: format!("[{index}]"), value }).collect()
}

pub(crate) fn plan(base: i64, zone: &str, change: ZoneChange) -> Plan {
    Plan {
        zones: BTreeMap::from([(name(zone), change)]),
        ..Plan::new(GroupName::parse("example").unwrap(), Base::new(base).unwrap())
    }
}

/// Puts addresses to names of `zone`, and takes all from others.
pub(crate) fn edits(zone: &str, upserts: &[(&str, u8)], deletes: &[&str]) -> Edit {
    let owner = |text: &str| Name::parse_relative(text, &name(zone)).unwrap();
    let sets = upserts.iter().map(|(text, last)| addresses(&owner(text).to_string(), &[*last])).collect();
    let deletes = deletes.iter().map(|text| Delete { owner: owner(text), rtype: None }).collect();
    Edit::new(&name(zone), placed(sets), placed(deletes)).unwrap()
}

/// A plan that does so in `example.`.
pub(crate) fn edit(base: i64, upserts: &[(&str, u8)], deletes: &[&str]) -> Plan {
    plan(base, "example.", ZoneChange::Edit(edits("example.", upserts, deletes)))
}

pub(crate) fn replacement(zone: &str, serial: u32, others: Vec<RecordSet>) -> ZoneChange {
    let one = |rtype, text: &str| {
        RecordSet::new(name(zone), rtype, 60, vec![RecordData::parse(rtype, text, &Name::root()).unwrap()]).unwrap()
    };
    let soa = one(RecordType::SOA, &format!("ns1.example. hostmaster.example. {serial} 3600 900 604800 300"));
    let mut sets = vec![soa, one(RecordType::NS, "ns1.example.")];
    if zone == "example." {
        sets.push(addresses("ns1.example.", &[53]));
    }
    sets.extend(others);
    ZoneChange::Replace(ZoneContents::new(name(zone), placed(sets)).unwrap())
}

/// One API's way into the history.
#[derive(Clone)]
pub(crate) struct Api {
    admissions: Admissions,
    token: i64,
}

impl Api {
    pub(crate) fn submission(&self, plan: Plan) -> Submission {
        let author = Author { role: Role::Operator, scope: Scope::default() };
        Submission { plan, token: self.token, author, idempotency: None, dry_run: false }
    }

    pub(crate) async fn post(&self, plan: Plan) -> Result<Admitted, AdmissionError> {
        self.submit(plan, None, false).await
    }

    pub(crate) async fn post_with_key(&self, plan: Plan, key: &Idempotency) -> Result<Admitted, AdmissionError> {
        self.submit(plan, Some(key.clone()), false).await
    }

    pub(crate) async fn dry_run(&self, plan: Plan) -> Result<Admitted, AdmissionError> {
        self.submit(plan, None, true).await
    }

    async fn submit(
        &self,
        plan: Plan,
        idempotency: Option<Idempotency>,
        dry_run: bool,
    ) -> Result<Admitted, AdmissionError> {
        let author = Author { role: Role::Operator, scope: Scope::default() };
        self.admissions.admit(Submission { plan, token: self.token, author, idempotency, dry_run }).await
    }
}

/// A database of its own, seen through the login of an API.
pub(crate) struct World {
    postgres: Arc<TestPostgres>,
    url: String,
    owner: PgPool,
    api: Api,
    shutdown: CancellationToken,
}

impl std::ops::Deref for World {
    type Target = Api;
    fn deref(&self) -> &Api {
        &self.api
    }
}

impl World {
    pub(crate) async fn empty() -> Self {
        let postgres = Arc::new(TestPostgres::start().await);
        let login = format!("{}_api", postgres.database());
        database::ensure_login(postgres.owner_url(), &login, "secret", &["holdfast_admit", "holdfast_read"])
            .await
            .unwrap();
        let url = postgres.url_of(&login, "secret");
        tokens::ensure_admin(postgres.owner_url(), "test", "hf_0000000000000000000000000000000000000000000")
            .await
            .unwrap();
        let owner = database::pool(postgres.owner_url(), "test", 2).unwrap();
        let token = sqlx::query_scalar("select token from token limit 1").fetch_one(&owner).await.unwrap();
        let shutdown = CancellationToken::new();
        let api = new_api(&url, token, &shutdown);
        Self { postgres, url, owner, api, shutdown }
    }

    /// With the group `example` and its zone `example.` at generation 1.
    pub(crate) async fn with_example() -> Self {
        let world = Self::empty().await;
        world.post(plan(0, "example.", replacement("example.", 1, vec![]))).await.unwrap();
        world
    }

    pub(crate) fn another_api(&self) -> Api {
        new_api(&self.url, self.api.token, &self.shutdown)
    }

    /// The address of the database for a login that has these roles.
    pub(crate) async fn login(&self, kind: &str, roles: &[&str]) -> String {
        let login = format!("{}_{kind}", self.postgres.database());
        database::ensure_login(self.postgres.owner_url(), &login, "secret", roles).await.unwrap();
        self.postgres.url_of(&login, "secret")
    }

    /// Runs statements as the owner.
    pub(crate) async fn run(&self, statements: &str) {
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&self.owner).await.unwrap();
    }

    pub(crate) fn store(&self) -> HistoryStore {
        HistoryStore::new(self.owner.clone())
    }

    pub(crate) fn owner(&self) -> &PgPool {
        &self.owner
    }

    pub(crate) async fn count(&self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&self.owner).await.unwrap()
    }

    pub(crate) async fn tip(&self) -> i64 {
        self.count("select max(generation) from generation").await
    }

    /// Runs statements as one whom no refusal binds: how a test damages what Holdfast would never write.
    pub(crate) fn superuser_url(&self) -> &str {
        self.postgres.superuser_url()
    }

    pub(crate) async fn superuser(&self, statements: &str) {
        let pool = database::pool(self.postgres.superuser_url(), "test", 1).unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&pool).await.unwrap();
        pool.close().await;
    }

    /// How many rows every table of the history has.
    pub(crate) async fn everything(&self) -> Vec<i64> {
        let mut counts = Vec::new();
        for table in ["zone_group", "zone", "plan", "plan_read", "change", "generation", "idempotency_key", "head_move"]
        {
            counts.push(self.count(&format!("select count(*) from {table}")).await);
        }
        counts
    }

    /// Recomputes every generation's digest and id from nothing but the rows, and finds the newest version of every
    /// name under the greatest plan number.
    pub(crate) async fn assert_that_digests_add_up(&self) {
        type Row = (i64, Vec<u8>, Vec<u8>, i64, String, String, i32, i32, Option<Vec<u8>>);
        let rows: Vec<Row> = sqlx::query_as(
            "select g.generation, g.id, g.digest, g.plan, z.name, c.owner, c.type, c.covered, c.value \
             from generation g join change c on c.plan = g.plan join zone z on z.zone = c.zone order by g.generation",
        )
        .fetch_all(&self.owner)
        .await
        .unwrap();
        let mut state: BTreeMap<(Name, Key), (i64, Option<Content>)> = BTreeMap::new();
        let (mut sum, mut parent) = (Digest::EMPTY, zone_model::Id::GENESIS);
        for generation in rows.chunk_by(|a, b| a.0 == b.0) {
            for (_, _, _, plan, zone, owner, rtype, covered, value) in generation {
                if *rtype == zone_model::ROW_TYPE_TOUCHED {
                    continue;
                }
                let zone = name(zone);
                let key = Key::from_columns(&zone, owner, *rtype, *covered).unwrap();
                let content = value.as_ref().map(|value| Content::from_value(&key, value).unwrap());
                let digest =
                    |content: &Option<Content>| content.as_ref().map_or(Digest::EMPTY, |one| key.digest(&zone, one));
                let after = digest(&content);
                let before = state.insert((zone.clone(), key.clone()), (*plan, content));
                if let Some((earlier, content)) = &before {
                    assert!(earlier < plan, "{zone} {key:?}: plan {plan} came after {earlier}");
                    sum = sum.minus(digest(content));
                }
                sum = sum.plus(after);
            }
            let (number, id, digest, ..) = &generation[0];
            let number = zone_model::Generation::new(*number).unwrap();
            assert_eq!(digest, sum.as_bytes(), "digest of generation {number}");
            parent = zone_model::Id::of(&parent, number, &sum);
            assert_eq!(id, parent.as_bytes(), "id of generation {number}");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn new_api(url: &str, token: i64, shutdown: &CancellationToken) -> Api {
    let pool = database::pool(url, "test api", 3).unwrap();
    let notices = Notices::start(database::pool(url, "test notices", 1).unwrap(), ADMITTED, shutdown.clone());
    Api { admissions: Admissions::new(HistoryStore::new(pool), notices), token }
}
