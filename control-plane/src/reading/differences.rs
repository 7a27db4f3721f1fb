//! What differs between two generations of a group.

use super::record_sets::read_content;
use super::{GroupFound, KeyInOrder, ReadError, Reading, damaged};
use crate::store::StoreError;
use std::collections::HashMap;
use zone_model::{Content, Key, Name, RecordType, Serial};

/// A record set, guard or setting that differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The zone's number and the set's key, for going on after it.
    pub place: (i64, KeyInOrder),
    /// The zone; none for a setting, which is the group's.
    pub zone: Option<Name>,
    /// The key.
    pub key: Key,
    /// What stood before, if anything did.
    pub before: Option<Content>,
    /// What stands afterwards, if anything does.
    pub after: Option<Content>,
}

impl Reading {
    /// The record sets, guards and settings of a group that differ between `from` (0 for nothing at all) and `to`: `limit` at most, in order of
    /// zones and keys, after one of them.
    ///
    /// # Errors
    /// When one of them was retired meanwhile, or the database could not be asked.
    pub async fn differences(
        &self,
        group: &GroupFound,
        (from, to): (i64, i64),
        (after_zone, after): &(i64, KeyInOrder),
        limit: i64,
    ) -> Result<Vec<Difference>, ReadError> {
        let rows = sqlx::query_file!(
            "queries/reading/changes_between.sql",
            group.number,
            from,
            to,
            after_zone,
            after.owner,
            after.rtype,
            after.covered,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let mut serials = Serials { reading: self, known: HashMap::new() };
        let mut differences = Vec::with_capacity(rows.len());
        for row in rows {
            let zone = row.zone_name.as_deref().map(Name::parse).transpose().map_err(damaged)?;
            let origin = zone.clone().unwrap_or_else(Name::root);
            let place = KeyInOrder { owner: row.owner, rtype: row.rtype, covered: row.covered };
            let key = Key::from_columns(&origin, &place.owner, place.rtype, place.covered).map_err(damaged)?;
            let is_soa = place.rtype == i32::from(RecordType::SOA.0);
            let mut sides = [None, None];
            for (side, (value, generation)) in sides.iter_mut().zip([(row.before, from), (row.after, to)]) {
                let Some(value) = value else { continue };
                let serial = if is_soa { serials.at(row.zone, generation).await? } else { Serial(0) };
                *side = Some(read_content(&origin, &place, &value, serial)?);
            }
            let [before, after] = sides;
            differences.push(Difference { place: (row.zone, place), zone, key, before, after });
        }
        self.group_was_whole(group.number, if from == 0 { to } else { from }).await?;
        Ok(differences)
    }
}

/// Serials of zones, each looked up once.
struct Serials<'a> {
    reading: &'a Reading,
    known: HashMap<(i64, i64), Serial>,
}

impl Serials<'_> {
    async fn at(&mut self, zone: i64, generation: i64) -> Result<Serial, StoreError> {
        if let Some(serial) = self.known.get(&(zone, generation)) {
            return Ok(*serial);
        }
        let serial = self.reading.serial_at(zone, generation).await?;
        let (_, serial) = serial.ok_or_else(|| damaged("a SOA in a zone that nothing touched"))?;
        self.known.insert((zone, generation), serial);
        Ok(serial)
    }
}
