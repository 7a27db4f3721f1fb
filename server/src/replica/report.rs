//! Says what is served and what is refused: whenever that changes, and once a second that the server is alive.

use super::fetch::{FetchError, soon};
use super::{BACKOFF_MAX, BACKOFF_MIN, Replica, connect};
use crate::snapshot::GroupNumber;
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zone_model::Version;

/// A server counts as live for three seconds after a heartbeat.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn run(replica: &Replica, stop: &CancellationToken) {
    let mut backoff = BACKOFF_MIN;
    while !stop.is_cancelled() {
        let error = tokio::select! {
            Err(error) = report(replica, &mut backoff) => error,
            () = stop.cancelled() => return,
        };
        tracing::debug!(%error, "reports cannot be written");
        tokio::select! {
            () = tokio::time::sleep(backoff) => {}
            () = stop.cancelled() => return,
        }
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

enum Never {}

/// What was said last, and need not be said again.
#[derive(Default)]
struct Reported {
    served: HashMap<GroupNumber, Version>,
    faults: HashMap<GroupNumber, (Version, String)>,
}

/// As much as a fault may say.
const FAULT_CHARACTERS_MAX: usize = 1000;

/// A connection of its own, so that the heartbeat goes on while the other one loads a million rows.
async fn report(replica: &Replica, backoff: &mut Duration) -> Result<Never, FetchError> {
    let mut connection = connect(&replica.database).await?;
    let identity = &replica.identity;
    let forget = sqlx::query_file!("queries/forget_earlier_instances.sql", identity.server, identity.instance);
    soon(forget.execute(&mut connection)).await?;
    let mut reported = Reported::default();
    loop {
        say(replica, &mut connection, &mut reported).await?;
        *backoff = BACKOFF_MIN;
        tokio::select! {
            () = replica.news.notified() => {}
            () = tokio::time::sleep(HEARTBEAT_INTERVAL) => {}
        }
    }
}

async fn say(replica: &Replica, connection: &mut PgConnection, reported: &mut Reported) -> Result<(), FetchError> {
    let identity = &replica.identity;
    let (server, instance, fault) = (&identity.server, identity.instance, replica.status.fault());
    let answers_at = identity.answers_at.map(|address| address.to_string());
    let alive = sqlx::query_file_scalar!("queries/say_alive.sql", server, instance, identity.ring, fault, answers_at);
    if soon(alive.fetch_one(&mut *connection)).await? {
        *reported = Reported::default();
    }
    let served = say_what_is_served(replica, connection, &mut reported.served).await?;
    let refused = say_what_is_refused(replica, connection, &mut reported.faults).await?;
    if served || refused {
        soon(sqlx::query_file!("queries/notify_reported.sql").fetch_one(connection)).await?;
    }
    Ok(())
}

/// Whether there was anything new to say.
///
/// While a head is refused, what is served instead is said with every heartbeat:
///
/// 1. This says that it serves 8, and is answered.
/// 2. The database is restored to a backup in which it serves 4. A pooler keeps this connection, so nothing tells us.
/// 3. The history goes on from 4, and every head is refused here. Until somebody says 8, nobody knows that it is a fork.
async fn say_what_is_served(
    replica: &Replica,
    connection: &mut PgConnection,
    reported: &mut HashMap<GroupNumber, Version>,
) -> Result<bool, FetchError> {
    let (server, instance) = (&replica.identity.server, replica.identity.instance);
    let refused: HashSet<GroupNumber> = replica.status.faults().into_iter().map(|(group, ..)| group).collect();
    let directory = replica.directory.load_full();
    let changed: Vec<(GroupNumber, Version)> = directory
        .groups()
        .map(|(number, group)| (number, group.version))
        .filter(|(number, version)| reported.get(number) != Some(version) || refused.contains(number))
        .collect();
    drop(directory);
    let is_news = changed.iter().any(|(number, version)| reported.get(number) != Some(version));
    if changed.is_empty() {
        return Ok(false);
    }
    let groups: Vec<i64> = changed.iter().map(|(group, _)| group.0).collect();
    let generations: Vec<i64> = changed.iter().map(|(_, version)| version.generation.get()).collect();
    let ids: Vec<Vec<u8>> = changed.iter().map(|(_, version)| version.id.as_bytes().to_vec()).collect();
    let rows = sqlx::query_file!("queries/report_what_is_served.sql", server, instance, &groups, &generations, &ids);
    soon(rows.execute(connection)).await?;
    reported.extend(changed);
    Ok(is_news)
}

/// Whether there was anything to say. A generation that is on trial fails by it.
async fn say_what_is_refused(
    replica: &Replica,
    connection: &mut PgConnection,
    reported: &mut HashMap<GroupNumber, (Version, String)>,
) -> Result<bool, FetchError> {
    let (server, instance) = (&replica.identity.server, replica.identity.instance);
    let faults = replica.status.faults().into_iter();
    let faults: HashMap<GroupNumber, (Version, String)> = faults
        .map(|(group, version, why)| (group, (version, why.chars().take(FAULT_CHARACTERS_MAX).collect())))
        .collect();
    let changed: Vec<_> = faults.iter().filter(|(group, fault)| reported.get(group) != Some(fault)).collect();
    let over: Vec<i64> = reported.keys().filter(|group| !faults.contains_key(group)).map(|group| group.0).collect();
    if changed.is_empty() && over.is_empty() {
        return Ok(false);
    }
    if !changed.is_empty() {
        let groups: Vec<i64> = changed.iter().map(|(group, _)| group.0).collect();
        let generations: Vec<i64> = changed.iter().map(|(_, (version, _))| version.generation.get()).collect();
        let ids: Vec<Vec<u8>> = changed.iter().map(|(_, (version, _))| version.id.as_bytes().to_vec()).collect();
        let whys: Vec<String> = changed.iter().map(|(_, (_, why))| why.clone()).collect();
        let rows = sqlx::query_file!("queries/report_faults.sql", server, instance, &groups, &generations, &ids, &whys);
        soon(rows.execute(&mut *connection)).await?;
    }
    if !over.is_empty() {
        soon(sqlx::query_file!("queries/take_faults_back.sql", server, instance, &over).execute(connection)).await?;
    }
    *reported = faults;
    Ok(true)
}
