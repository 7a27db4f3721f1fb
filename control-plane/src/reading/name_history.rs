//! What plans made of the record sets of one name, and of the guards on them.

use super::record_sets::read_content;
use super::{KeyInOrder, ReadError, Reading, ZoneFound, damaged, read_version};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use serde_json::Value;
use zone_model::{Content, Key, Name, RecordType, Serial, Version};

/// A version of a record set or guard: what one plan made of it.
#[derive(Clone, Debug)]
pub struct VersionFound {
    /// Where it stands in the list, for going on after it.
    pub place: PlaceInHistory,
    /// What it is a version of.
    pub key: Key,
    /// The generation that made it so.
    pub version: Version,
    /// When that was admitted.
    pub at: DateTime<Utc>,
    /// Why, in the words of the plan's author.
    pub reason: Option<String>,
    /// The guards that did not apply to the plan, each with a reason.
    pub acknowledged: Value,
    /// The name of the token that the plan was posted with.
    pub by: Option<String>,
    /// What stood before.
    pub before: Before,
    /// What stands since; none if it is gone.
    pub after: Option<Content>,
}

/// What stood before a version.
#[derive(Clone, Debug)]
pub enum Before {
    /// Nothing.
    Absent,
    /// This.
    Stood(Content),
    /// What is at or below the floor is being forgotten, so nobody knows.
    Forgotten,
}

/// A place in the history of a name: a plan's number, a type, and the type that an RRSIG covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceInHistory(pub i64, pub i32, pub i32);

impl PlaceInHistory {
    /// Before the newest version.
    #[must_use]
    pub const fn newest() -> Self {
        Self(i64::MAX, 0, 0)
    }
}

impl Reading {
    /// The versions of the record sets of one name and of the guards on them, of one type if one is given: the newest first, `limit` at most, after
    /// a place. What was deleted is among them. At or below the floor only what retirement left is found.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn history_of_name(
        &self,
        zone: &ZoneFound,
        name: &Name,
        rtype: Option<RecordType>,
        after: PlaceInHistory,
        limit: i64,
    ) -> Result<Vec<VersionFound>, ReadError> {
        let Some(owner) = name.to_lowercase().relative_to(&zone.name) else { return Ok(Vec::new()) };
        let rows = sqlx::query_file!(
            "queries/reading/history_of_name.sql",
            zone.number,
            owner,
            rtype.map(|rtype| i32::from(rtype.0)),
            after.0,
            after.1,
            after.2,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let mut versions = Vec::with_capacity(rows.len());
        for row in rows {
            let key = KeyInOrder { owner: owner.clone(), rtype: row.rtype, covered: row.covered };
            let after = self.stood(zone, &key, row.after.as_deref(), Some(row.generation)).await?;
            let before = if zone.floor > 1 && row.generation <= zone.floor {
                // A change goes as soon as a newer one of its key is at or below the floor, so what is found there need not
                // have stood last.
                Before::Forgotten
            } else {
                let before = self.stood(zone, &key, row.before.as_deref(), row.parent).await?;
                before.map_or(Before::Absent, Before::Stood)
            };
            versions.push(VersionFound {
                place: PlaceInHistory(row.plan, row.rtype, row.covered),
                key: Key::from_columns(&zone.name, &key.owner, key.rtype, key.covered).map_err(damaged)?,
                version: read_version(row.generation, &row.id)?,
                at: row.at,
                reason: row.reason,
                acknowledged: row.acknowledged,
                by: row.by,
                before,
                after,
            });
        }
        Ok(versions)
    }

    /// What was stored as it stood at a generation, a SOA with the serial that it had then. Below the floor what serials
    /// went by is forgotten, so there it has the stored one, 0.
    async fn stood(
        &self,
        zone: &ZoneFound,
        key: &KeyInOrder,
        value: Option<&[u8]>,
        generation: Option<i64>,
    ) -> Result<Option<Content>, StoreError> {
        let (Some(value), Some(generation)) = (value, generation) else { return Ok(None) };
        let serial = if key.rtype == i32::from(RecordType::SOA.0) && generation >= zone.floor {
            let changed = self.serial_at(zone.number, generation).await?;
            // None where it was retired meanwhile.
            changed.map_or(Serial(0), |(_, serial)| serial)
        } else {
            Serial(0)
        };
        read_content(&zone.name, key, value, serial).map(Some)
    }
}
