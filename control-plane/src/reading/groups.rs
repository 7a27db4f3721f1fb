//! Groups, their tips and heads.

use super::stops::{StopFound, stops_on};
use super::{ReadError, Reading, choose_generation, read_digest, read_version};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use std::collections::HashMap;
use zone_model::{Digest, GroupName, Version};

/// A group.
#[derive(Clone, Debug)]
pub struct GroupFound {
    pub(crate) number: i64,
    /// Its name.
    pub name: String,
    /// The oldest generation that can be read.
    pub floor: i64,
    /// The newest one.
    pub tip: Version,
    /// The digest of all that stands at the tip.
    pub digest: Digest,
    /// When the tip was admitted.
    pub at: DateTime<Utc>,
    /// What is in force, by ring.
    pub heads: Vec<HeadFound>,
    /// The stops that lie on it.
    pub stops: Vec<StopFound>,
}

/// A head.
#[derive(Clone, Debug)]
pub struct HeadFound {
    /// The ring.
    pub ring: String,
    /// The generation in force.
    pub version: Version,
}

struct Row {
    zone_group: i64,
    name: String,
    floor: i64,
    generation: i64,
    id: Vec<u8>,
    digest: Vec<u8>,
    at: DateTime<Utc>,
}

impl Row {
    fn read(self) -> Result<GroupFound, StoreError> {
        Ok(GroupFound {
            number: self.zone_group,
            name: self.name,
            floor: self.floor,
            tip: read_version(self.generation, &self.id)?,
            digest: read_digest(&self.digest)?,
            at: self.at,
            heads: Vec::new(),
            stops: Vec::new(),
        })
    }
}

impl GroupFound {
    /// Its number in the database.
    #[must_use]
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// The generation that was asked for, the tip if none was.
    ///
    /// # Errors
    /// When it is above the tip or below the floor.
    pub fn generation(&self, asked: Option<i64>) -> Result<i64, ReadError> {
        choose_generation(asked, self.tip, self.floor)
    }
}

impl Reading {
    /// A group, with its heads.
    ///
    /// # Errors
    /// When there is none, or the database could not be asked.
    pub async fn group(&self, name: &GroupName) -> Result<GroupFound, ReadError> {
        let mut snapshot = self.snapshot().await?;
        let row = sqlx::query_file_as!(Row, "queries/reading/find_group.sql", name.as_str())
            .fetch_optional(&mut *snapshot)
            .await?;
        let group = row.ok_or_else(|| ReadError::NotFound(format!("group {name}")))?.read()?;
        let mut groups = vec![group];
        read_heads(&mut snapshot, &mut groups).await?;
        groups.pop().ok_or_else(|| ReadError::NotFound(format!("group {name}")))
    }

    /// Groups in order of their names, `limit` at most, those after the name `after`.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn groups(&self, after: &str, limit: i64) -> Result<Vec<GroupFound>, ReadError> {
        let mut snapshot = self.snapshot().await?;
        let rows = sqlx::query_file_as!(Row, "queries/reading/list_groups.sql", after, limit)
            .fetch_all(&mut *snapshot)
            .await?;
        let mut groups = rows.into_iter().map(Row::read).collect::<Result<Vec<_>, _>>()?;
        read_heads(&mut snapshot, &mut groups).await?;
        Ok(groups)
    }
}

async fn read_heads(snapshot: &mut PgTransaction<'static>, groups: &mut [GroupFound]) -> Result<(), StoreError> {
    let numbers: Vec<i64> = groups.iter().map(|group| group.number).collect();
    let rows =
        sqlx::query_file!("queries/reading/heads_of_groups.sql", &numbers[..]).fetch_all(&mut **snapshot).await?;
    let mut heads: HashMap<i64, Vec<HeadFound>> = HashMap::new();
    for row in rows {
        let head = HeadFound { ring: row.ring, version: read_version(row.generation, &row.id)? };
        heads.entry(row.zone_group).or_default().push(head);
    }
    let stops = stops_on(&mut **snapshot, Some(&numbers)).await?;
    for group in groups {
        group.heads = heads.remove(&group.number).unwrap_or_default();
        let lies_on = |stop: &&StopFound| stop.group_number.is_none_or(|number| number == group.number);
        group.stops = stops.iter().filter(lies_on).cloned().collect();
    }
    Ok(())
}
