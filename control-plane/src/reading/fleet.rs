//! Servers, what they report, and enactors.

use super::{Reading, read_version};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;
use zone_model::Version;

/// A server, as it reported.
#[derive(Clone, Debug)]
pub struct ServerSeen {
    /// Its name.
    pub server: String,
    /// This start of it.
    pub instance: Uuid,
    /// Its ring.
    pub ring: String,
    /// When it was started.
    pub started: DateTime<Utc>,
    /// How long ago it said anything, by the database's clock.
    pub seen_age_ms: i64,
    /// Whether that was within the last 3 seconds.
    pub live: bool,
    /// What it says is wrong with it.
    pub fault: Option<String>,
    /// Since when nothing waits for it any more, as an operator said.
    pub forgotten: Option<DateTime<Utc>>,
    /// In how many groups it serves anything.
    pub serving_count: i64,
    /// What it says it serves, a hundred groups at most.
    pub serving: Vec<Serving>,
}

/// What a server says it serves of a group.
#[derive(Clone, Debug)]
pub struct Serving {
    /// The group; none if nobody knows its number.
    pub group: Option<String>,
    /// The generation.
    pub version: Version,
    /// How long ago it was installed, by the database's clock.
    pub age_ms: i64,
    /// The generation that it was told to install instead, and refuses.
    pub refused: Option<i64>,
    /// Why it refuses that.
    pub fault: Option<String>,
}

/// An enactor, as it was seen.
#[derive(Clone, Debug)]
pub struct EnactorSeen {
    /// Its name.
    pub enactor: String,
    /// This start of it.
    pub instance: Uuid,
    /// How long ago it was seen, by the database's clock.
    pub seen_age_ms: i64,
    /// Whether that was within the last 3 seconds.
    pub live: bool,
    /// For how long it has watched without a gap.
    pub watching_ms: i64,
    /// What the heads that it would move wait for.
    pub waits_for: Option<String>,
}

impl Reading {
    /// Servers (of one ring, if any is named) in order of their names, `limit` at most, those after a name and instance.
    /// What they serve is told of one group only, if any is named.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn servers(
        &self,
        (after, after_instance): (&str, Uuid),
        limit: i64,
        ring: Option<&str>,
        group: Option<&str>,
    ) -> Result<Vec<ServerSeen>, StoreError> {
        let rows = sqlx::query_file!("queries/reading/list_servers.sql", after, after_instance, ring, limit)
            .fetch_all(&self.pool)
            .await?;
        let mut servers = Vec::with_capacity(rows.len());
        for row in rows {
            servers.push(ServerSeen {
                server: row.server,
                instance: row.instance,
                ring: row.ring,
                started: row.started,
                seen_age_ms: row.seen_age_ms,
                live: row.live,
                fault: row.fault,
                forgotten: row.forgotten,
                serving_count: 0,
                serving: Vec::new(),
            });
        }
        self.read_reports(&mut servers, group).await?;
        Ok(servers)
    }

    async fn read_reports(&self, servers: &mut [ServerSeen], group: Option<&str>) -> Result<(), StoreError> {
        let names: Vec<String> = servers.iter().map(|server| server.server.clone()).collect();
        let instances: Vec<Uuid> = servers.iter().map(|server| server.instance).collect();
        let rows = sqlx::query_file!("queries/reading/reports_of_servers.sql", &names[..], &instances[..], group)
            .fetch_all(&self.pool)
            .await?;
        let mut reports: HashMap<(String, Uuid), (i64, Vec<Serving>)> = HashMap::new();
        for row in rows {
            let version = read_version(row.generation, &row.id)?;
            let of_server = reports.entry((row.server, row.instance)).or_default();
            of_server.0 = row.count;
            of_server.1.push(Serving {
                group: row.group_name,
                version,
                age_ms: row.age_ms,
                refused: row.refused,
                fault: row.fault,
            });
        }
        for server in servers {
            let of_server = reports.remove(&(server.server.clone(), server.instance));
            (server.serving_count, server.serving) = of_server.unwrap_or_default();
        }
        Ok(())
    }

    /// Enactors in order of their names, `limit` at most, those after the name `after`.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn enactors(&self, after: &str, limit: i64) -> Result<Vec<EnactorSeen>, StoreError> {
        let enactors = sqlx::query_file_as!(EnactorSeen, "queries/reading/list_enactors.sql", after, limit);
        Ok(enactors.fetch_all(&self.pool).await?)
    }
}
