//! What a rollback and a raise are decided on.

use super::asked::Asked;
use super::{ReadHistory, change, generation, zone_name};
use crate::store::{HistoryStore, StoreError};
use plan_rules::Former;
use std::collections::BTreeSet;
use zone_model::{Content, Generation, GroupName, Key, Name};

/// What raising a group's epoch is decided on.
#[derive(Clone, Debug)]
pub struct ReadForRaise {
    /// The tip, and every zone of the group with its apex and serial.
    pub read: ReadHistory,
    /// The greatest generation that a server was heard to serve, forgotten servers aside.
    pub reported: Option<Generation>,
}

impl HistoryStore {
    /// The record sets of a group that changed after `to`, each as it stood there.
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn formers(&self, group: i64, to: Generation) -> Result<Vec<Former>, StoreError> {
        let rows = sqlx::query_file!("queries/acts/read_formers.sql", group, to.get()).fetch_all(&self.pool).await?;
        let mut formers = Vec::with_capacity(rows.len());
        for row in rows {
            let zone = zone_name(Some(&row.zone_name))?;
            let columns = (Some(row.owner.as_str()), Some(row.rtype), Some(row.covered));
            if let (Key::Records(key), content) = change(&zone, columns, row.value.as_deref())? {
                let set = match content {
                    Some(Content::Records(set)) => Some(set),
                    _ => None,
                };
                formers.push(Former { zone, key, set });
            }
        }
        Ok(formers)
    }

    /// What raising the epoch of a group is decided on; none for a group that does not exist. A zone that was begun while
    /// this was read is missing in it; its generation is a newer tip, so that the write finds the race lost.
    ///
    /// # Errors
    /// When the database cannot be asked, or a row is damaged.
    pub async fn history_for_raise(&self, group: &GroupName) -> Result<Option<ReadForRaise>, StoreError> {
        loop {
            let row = sqlx::query_file!("queries/acts/read_zones_for_a_raise.sql", group.as_str())
                .fetch_optional(&self.pool)
                .await?;
            let Some(row) = row else { return Ok(None) };
            let zones = row.zones.iter().map(|zone| zone_name(Some(zone))).collect::<Result<BTreeSet<Name>, _>>()?;
            let mut all = self.read_footprints(&Asked::apexes(group, zones)).await?;
            let read = all.remove(group).unwrap_or_default();
            if read.history.tip.is_some_and(|tip| tip.version.generation.get() == row.tip) {
                let reported = row.reported.map(|reported| generation(Some(reported))).transpose()?;
                return Ok(Some(ReadForRaise { read, reported }));
            }
        }
    }
}
