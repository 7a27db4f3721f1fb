//! Carries what changed from Postgres to a [`Build`], all of it out of one snapshot of the database.

use super::build::{Build, Built, Row, TouchedZone, Wanted};
use crate::install::{Decision, Head, Known, Load, Refusal, decide};
use crate::snapshot::{Directory, GroupNumber, ZoneNumber};
use futures_util::TryStreamExt;
use sqlx::{Connection, PgConnection};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use zone_model::{Digest, Generation, Id, Name, Version};

/// How long Postgres may take to answer a small question before the connection counts as lost. A stopped backend would
/// otherwise hold the replica for ever.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// The same until the first rows of a fetch, which may have to be sorted before, and between two batches of them.
const ROWS_TIMEOUT: Duration = Duration::from_secs(60);
/// How many rows go to the builder at a time: enough to make the hand-over cheap, few enough to keep memory small.
const ROWS_PER_BATCH: usize = 1024;
/// How many batches may wait for the builder.
const BATCHES_WAITING_MAX: usize = 4;

/// What came of one look at the history.
#[derive(Debug, Default)]
pub(super) struct Polled {
    /// How many groups have a head in the ring.
    pub heads: usize,
    /// Groups whose head is not what was held.
    pub offered: HashSet<GroupNumber>,
    /// Groups that are held, and have no head in the ring.
    pub without_head: BTreeSet<Arc<str>>,
    /// Groups to be swapped in, all at once.
    pub built: Vec<Built>,
    /// Groups that stay as they are, and why.
    pub refused: Vec<(GroupNumber, Arc<str>, Version, Refusal)>,
}

/// Why nothing could be fetched. What is held stays in force.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Postgres said no, or is gone.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    /// Postgres is silent.
    #[error("the database did not answer in time")]
    Silent,
    /// The builder ended before its rows did.
    #[error("building was given up: {0}")]
    Build(#[from] tokio::task::JoinError),
}

/// Waits for Postgres, but not for ever.
pub(super) async fn within<T, E: Into<FetchError>>(
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, FetchError> {
    tokio::time::timeout(limit, answer).await.map_err(|_| FetchError::Silent)?.map_err(Into::into)
}

/// Waits as long as a small question may take.
pub(super) async fn soon<T, E: Into<FetchError>>(answer: impl Future<Output = Result<T, E>>) -> Result<T, FetchError> {
    within(ANSWER_TIMEOUT, answer).await
}

/// Looks at all heads of `ring`, and builds what changed against `directory`. Groups for which `may_wait` says yes are
/// left for another time.
///
/// # Errors
/// Postgres is lost.
pub(super) async fn poll(
    connection: &mut PgConnection,
    ring: &str,
    directory: &Arc<Directory>,
    may_wait: impl Fn(GroupNumber, Version) -> bool,
) -> Result<Polled, FetchError> {
    // One snapshot for everything. Reading the heads in one and the records in another can find nothing at all, because
    // the head moved and the old changes were retired in between.
    let mut snapshot = soon(connection.begin_with("begin isolation level repeatable read read only")).await?;
    let mut polled = Polled::default();
    let offered = offered(&mut snapshot, ring, directory, &mut polled).await?;
    let offered: Vec<_> = offered.into_iter().filter(|one| !may_wait(one.0, one.2)).collect();
    if !offered.is_empty() {
        let wanted = wanted(&mut snapshot, ring, directory, offered, &mut polled).await?;
        let mut drifted = Vec::new();
        for (wanted, built) in build(&mut snapshot, directory, wanted).await? {
            match built {
                Ok(built) => polled.built.push(built),
                // The increment does not fit what is held, although the history knows it: take everything instead.
                Err(Refusal::WrongDigest { expected, computed }) if wanted.base().is_some() => {
                    let (group, generation) = (&*wanted.head.name, wanted.head.version.generation.get());
                    tracing::warn!(group, generation, %expected, %computed, "drift: loading the group in full");
                    drifted.push(Wanted { load: Load::Drifted, ..wanted });
                }
                Err(why) => polled.refused.push((wanted.head.group, wanted.head.name, wanted.head.version, why)),
            }
        }
        for (wanted, built) in build(&mut snapshot, directory, drifted).await? {
            match built {
                Ok(built) => polled.built.push(built),
                Err(why) => polled.refused.push((wanted.head.group, wanted.head.name, wanted.head.version, why)),
            }
        }
    }
    soon(snapshot.commit()).await?;
    Ok(polled)
}

type Offered = (GroupNumber, Arc<str>, Version);

/// The heads that are not what is held.
async fn offered(
    connection: &mut PgConnection,
    ring: &str,
    directory: &Directory,
    polled: &mut Polled,
) -> Result<Vec<Offered>, FetchError> {
    let rows = soon(sqlx::query_file!("queries/heads.sql", ring).fetch_all(connection)).await?;
    polled.heads = rows.len();
    let have_heads: HashSet<i64> = rows.iter().map(|row| row.zone_group).collect();
    let without = directory.groups().filter(|(number, _)| !have_heads.contains(&number.0));
    polled.without_head = without.map(|(_, group)| group.name.clone()).collect();
    let mut offered = Vec::new();
    for row in rows {
        let group = GroupNumber(row.zone_group);
        let (generation, id) = (Generation::new(row.generation), Id::from_bytes(&row.id));
        let (Some(generation), Some(id)) = (generation, id) else {
            tracing::error!(group = row.group_name, generation = row.generation, "the head cannot be read");
            continue;
        };
        let version = Version { generation, id };
        if directory.group(group).is_none_or(|held| held.version != version) {
            polled.offered.insert(group);
            offered.push((group, row.group_name.into(), version));
        }
    }
    Ok(offered)
}

/// Decides about each of the offered heads.
async fn wanted(
    connection: &mut PgConnection,
    ring: &str,
    directory: &Directory,
    offered: Vec<Offered>,
    polled: &mut Polled,
) -> Result<Vec<Wanted>, FetchError> {
    let numbers: Vec<i64> = offered.iter().map(|(group, ..)| group.0).collect();
    let details = sqlx::query_file!("queries/heads_in_detail.sql", ring, &numbers).fetch_all(&mut *connection);
    let details: HashMap<i64, _> = soon(details).await?.into_iter().map(|row| (row.zone_group, row)).collect();
    let held = offered.iter().filter_map(|(group, ..)| directory.group(*group).map(|held| (group, held)));
    let (groups, generations): (Vec<i64>, Vec<i64>) =
        held.map(|(group, held)| (group.0, held.version.generation.get())).unzip();
    let known = sqlx::query_file!("queries/ids_of_held_generations.sql", &groups, &generations).fetch_all(connection);
    let known: HashMap<i64, Option<Id>> =
        soon(known).await?.into_iter().map(|row| (row.zone_group, Id::from_bytes(&row.id))).collect();
    let known = |group: GroupNumber, held: Version| match known.get(&group.0) {
        Some(Some(id)) => Known::As(*id),
        Some(None) => Known::Nothing,
        None if details.get(&group.0).is_some_and(|row| row.floor > held.generation.get()) => Known::Forgotten,
        None => Known::Nothing,
    };

    let mut wanted = Vec::with_capacity(offered.len());
    for (group, name, version) in offered {
        let held = directory.group(group);
        let known = held.map_or(Known::Nothing, |held| known(group, held.version));
        let floor = details.get(&group.0).map_or(1, |row| row.floor);
        match decide(held.map(|held| held.version), known, floor, version) {
            Decision::Keep => {}
            Decision::Refuse(why) => polled.refused.push((group, name, version, why)),
            Decision::Install(load) => {
                if held.is_some() && load != Load::Increment {
                    let (group, generation) = (&*name, version.generation.get());
                    tracing::warn!(group, generation, ?load, ?known, floor, "loading the group in full");
                }
                let detail = details.get(&group.0);
                let digest = detail.and_then(|row| Digest::from_bytes(&row.digest));
                let parent =
                    detail.map(|row| row.parent_id.as_ref().map_or(Some(Id::GENESIS), |id| Id::from_bytes(id)));
                if let (Some(digest), Some(Some(parent))) = (digest, parent) {
                    let head = Head { group, name, version, digest, parent };
                    wanted.push(Wanted { head, held: held.cloned(), load });
                } else {
                    let why = Refusal::DamagedHead("its digest or its parent's id has not 32 octets".to_owned());
                    polled.refused.push((group, name, version, why));
                }
            }
        }
    }
    Ok(wanted)
}

/// Fetches and builds some groups.
async fn build(
    connection: &mut PgConnection,
    directory: &Arc<Directory>,
    wanted: Vec<Wanted>,
) -> Result<Vec<(Wanted, Result<Built, Refusal>)>, FetchError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let groups: Vec<i64> = wanted.iter().map(|one| one.head.group.0).collect();
    let above: Vec<i64> = wanted.iter().map(Wanted::above).collect();
    let upto: Vec<i64> = wanted.iter().map(|one| one.head.version.generation.get()).collect();

    let touched = sqlx::query_file!("queries/zones_touched_between.sql", &groups, &above, &upto);
    let touched = within(ROWS_TIMEOUT, touched.fetch_all(&mut *connection)).await?;
    let touched = touched.into_iter().filter_map(|row| {
        let (name, generation) = (Name::parse(&row.name).ok()?, Generation::new(row.generation)?);
        Some(TouchedZone { zone: ZoneNumber(row.zone), name, group: GroupNumber(row.zone_group), generation })
    });

    // Decoding a million rows must not hold up whoever answers queries on this runtime, so a thread of its own does it.
    let mut build = Build::new(directory, wanted, touched.collect());
    let (batches, mut inbox) = mpsc::channel::<Vec<Row>>(BATCHES_WAITING_MAX);
    let builder = tokio::task::spawn_blocking(move || {
        while let Some(batch) = inbox.blocking_recv() {
            batch.into_iter().for_each(|row| build.apply(row));
        }
        build
    });
    let changes = sqlx::query_file_as!(Row, "queries/changes_between.sql", &groups, &above, &upto);
    let mut changes = changes.fetch(&mut *connection).try_chunks(ROWS_PER_BATCH);
    loop {
        let next = tokio::time::timeout(ROWS_TIMEOUT, changes.try_next()).await.map_err(|_| FetchError::Silent)?;
        match next.map_err(|error| error.1)? {
            // The builder is gone only when it panicked, which the join below reports.
            Some(batch) => drop(batches.send(batch).await),
            None => break,
        }
    }
    drop(changes);
    drop(batches);
    let mut build = builder.await?;

    let plans = build.serial_plans();
    if !plans.is_empty() {
        let made = soon(sqlx::query_file!("queries/generations_of_plans.sql", &plans).fetch_all(connection)).await?;
        let made = made.into_iter().filter_map(|row| Some((row.plan, Generation::new(row.generation)?)));
        build.serial_plans_made(&made.collect());
    }
    // Judging walks the zones that changed, which may be many, but does not touch their records.
    Ok(tokio::task::spawn_blocking(move || build.finish()).await?)
}
