//! What differs between two generations of a group.

use super::record_sets::read_set;
use super::{GroupFound, KeyInOrder, ReadError, Reading, damaged};
use crate::store::StoreError;
use std::collections::HashMap;
use zone_model::{Name, RecordSet, RecordType, Serial};

/// A record set that differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The zone's number and the set's key, for going on after it.
    pub place: (i64, KeyInOrder),
    /// The zone, absolute.
    pub zone: Name,
    /// What stood before, if anything did.
    pub before: Option<RecordSet>,
    /// What stands afterwards, if anything does.
    pub after: Option<RecordSet>,
}

impl Reading {
    /// The record sets of a group that differ between `from` (0 for nothing at all) and `to`: `limit` at most, in order of
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
            let zone = Name::parse(&row.zone_name).map_err(damaged)?;
            let key = KeyInOrder { owner: row.owner, rtype: row.rtype, covered: row.covered };
            let is_soa = key.rtype == i32::from(RecordType::SOA.0);
            let mut sides = [None, None];
            for (side, (value, generation)) in sides.iter_mut().zip([(row.before, from), (row.after, to)]) {
                let Some(value) = value else { continue };
                let serial = if is_soa { serials.at(row.zone, generation).await? } else { Serial(0) };
                *side = Some(read_set(&zone, &key, &value, serial)?);
            }
            let [before, after] = sides;
            differences.push(Difference { place: (row.zone, key), zone, before, after });
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
