//! Record sets of a zone at a generation.

use super::{ReadError, Reading, ZoneFound, damaged};
use crate::store::StoreError;
use zone_model::{Content, Key, Name, RecordSet, RecordType, Serial, with_serial};

/// A record set that stands, and the generation that made it so.
#[derive(Clone, Debug)]
pub struct SetFound {
    /// Its key, for going on after it.
    pub key: KeyInOrder,
    /// The set, a SOA with the serial that the DNS world sees.
    pub set: RecordSet,
    /// The generation that made it so.
    pub generation: i64,
}

/// A record set's key as lists of a zone are ordered by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInOrder {
    /// The owner relative to the zone, in lower case.
    pub owner: String,
    /// The type.
    pub rtype: i32,
    /// The type that an RRSIG covers, else 0.
    pub covered: i32,
}

impl KeyInOrder {
    /// Before every record set. Rows of no name, which are none, have the owner ''.
    #[must_use]
    pub fn before_all() -> Self {
        Self { owner: String::new(), rtype: i32::MAX, covered: 0 }
    }
}

impl Reading {
    /// The record sets of one name at a generation at which the zone exists, those of one type if one is given.
    ///
    /// # Errors
    /// When the generation was retired meanwhile, or the database could not be asked.
    pub async fn record_sets_of_name(
        &self,
        zone: &ZoneFound,
        generation: i64,
        name: &Name,
        rtype: Option<RecordType>,
    ) -> Result<Vec<SetFound>, ReadError> {
        let (_, serial) = self.zone_changed(zone, generation).await?;
        let Some(owner) = name.to_lowercase().relative_to(&zone.name) else { return Ok(Vec::new()) };
        let rows =
            sqlx::query_file!("queries/reading/record_sets_of_name.sql", zone.number, owner.as_str(), generation)
                .fetch_all(&self.pool)
                .await?;
        let mut sets = Vec::with_capacity(rows.len());
        for row in rows {
            if rtype.is_none_or(|wanted| i32::from(wanted.0) == row.rtype) {
                let key = KeyInOrder { owner: owner.clone(), rtype: row.rtype, covered: row.covered };
                let set = read_set(&zone.name, &key, &row.value, serial)?;
                sets.push(SetFound { key, set, generation: row.generation });
            }
        }
        self.was_whole(zone.number, generation).await?;
        Ok(sets)
    }

    /// The record sets of a zone at a generation at which it exists, those of one type if one is given: `limit` at most,
    /// in order of their keys, after one of them.
    ///
    /// # Errors
    /// When the generation was retired meanwhile, or the database could not be asked.
    pub async fn record_sets(
        &self,
        zone: &ZoneFound,
        generation: i64,
        rtype: Option<RecordType>,
        after: &KeyInOrder,
        limit: i64,
    ) -> Result<Vec<SetFound>, ReadError> {
        let (_, serial) = self.zone_changed(zone, generation).await?;
        let rows = sqlx::query_file!(
            "queries/reading/record_sets_after.sql",
            zone.number,
            generation,
            rtype.map(|rtype| i32::from(rtype.0)),
            after.owner,
            after.rtype,
            after.covered,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let mut sets = Vec::with_capacity(rows.len());
        for row in rows {
            let key = KeyInOrder { owner: row.owner, rtype: row.rtype, covered: row.covered };
            let set = read_set(&zone.name, &key, &row.value, serial)?;
            sets.push(SetFound { key, set, generation: row.generation });
        }
        self.was_whole(zone.number, generation).await?;
        Ok(sets)
    }

    /// A piece of a whole zone's contents at a generation, in order of their keys, after one of them. The SOA has
    /// `serial`.
    ///
    /// # Errors
    /// When the generation was retired meanwhile, or the database could not be asked.
    pub async fn zone_contents(
        &self,
        zone: &ZoneFound,
        (generation, serial): (i64, Serial),
        after: &KeyInOrder,
        limit: i64,
    ) -> Result<Vec<(KeyInOrder, RecordSet)>, ReadError> {
        let rows = sqlx::query_file!(
            "queries/reading/zone_contents_after.sql",
            zone.number,
            generation,
            after.owner,
            after.rtype,
            after.covered,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let mut sets = Vec::with_capacity(rows.len());
        for row in rows {
            let key = KeyInOrder { owner: row.owner, rtype: row.rtype, covered: row.covered };
            let set = read_set(&zone.name, &key, &row.value, serial)?;
            sets.push((key, set));
        }
        self.was_whole(zone.number, generation).await?;
        Ok(sets)
    }
}

/// Reads a set through the door of the model, a SOA with its real serial.
pub(super) fn read_set(zone: &Name, key: &KeyInOrder, value: &[u8], serial: Serial) -> Result<RecordSet, StoreError> {
    match read_content(zone, key, value, serial)? {
        Content::Records(set) => Ok(set),
        Content::Serial(_) | Content::Minimum(_) | Content::Setting(_) => Err(damaged("a record set that is none")),
    }
}

/// Reads whatever stands under a key through the door of the model, a SOA with its real serial.
pub(super) fn read_content(zone: &Name, key: &KeyInOrder, value: &[u8], serial: Serial) -> Result<Content, StoreError> {
    let key = Key::from_columns(zone, &key.owner, key.rtype, key.covered).map_err(damaged)?;
    match Content::from_value(&key, value).map_err(damaged)? {
        Content::Records(set) if set.rtype() == RecordType::SOA => {
            with_serial(&set, serial).map(|(set, _)| Content::Records(set)).map_err(damaged)
        }
        content => Ok(content),
    }
}
