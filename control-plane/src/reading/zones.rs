//! Zones and their serials.

use super::{ReadError, Reading, choose_generation, damaged, read_generation, read_version};
use crate::store::StoreError;
use plan_rules::ZoneHistory;
use sqlx::PgExecutor;
use zone_model::{Content, Generation, Key, Name, Serial, Version};

/// A zone, as its group's history has it.
#[derive(Clone, Debug)]
pub struct ZoneFound {
    pub(super) number: i64,
    /// Its name, in lower case.
    pub name: Name,
    /// Its group.
    pub group: String,
    /// The oldest generation that can be read.
    pub floor: i64,
    /// The group's tip.
    pub tip: Version,
}

/// A zone in a list.
#[derive(Clone, Debug)]
pub struct ZoneListed {
    /// Its name, absolute, in lower case.
    pub name: String,
    /// Its group.
    pub group: String,
    /// The generation that changed it last.
    pub changed_in: i64,
    /// The serial that its SOA has at the tip.
    pub serial: Serial,
}

impl ZoneFound {
    /// The generation that was asked for, the tip if none was.
    ///
    /// # Errors
    /// When it is above the tip or below the floor.
    pub fn generation(&self, asked: Option<i64>) -> Result<i64, ReadError> {
        choose_generation(asked, self.tip, self.floor)
    }
}

impl Reading {
    /// A zone that some generation of its group has begun.
    ///
    /// # Errors
    /// When there is none, or the database could not be asked.
    pub async fn zone(&self, name: &Name) -> Result<ZoneFound, ReadError> {
        let text = name.to_lowercase().to_string();
        let row = sqlx::query_file!("queries/reading/find_zone.sql", text).fetch_optional(&self.pool).await?;
        let row = row.ok_or_else(|| ReadError::NotFound(format!("zone {name}")))?;
        Ok(ZoneFound {
            number: row.zone,
            name: name.to_lowercase(),
            group: row.group_name,
            floor: row.floor,
            tip: read_version(row.tip, &row.tip_id)?,
        })
    }

    /// The generation that changed the zone last at or below `generation`, and the serial that its SOA has then.
    ///
    /// # Errors
    /// When it did not exist then, or the database could not be asked.
    pub async fn zone_changed(&self, zone: &ZoneFound, generation: i64) -> Result<(i64, Serial), ReadError> {
        let serial = self.serial_at(zone.number, generation).await?;
        serial.ok_or_else(|| ReadError::NotFound(format!("zone {} at generation {generation}", zone.name)))
    }

    /// As [`Reading::zone_changed`]; none where the zone did not exist then.
    pub(super) async fn serial_at(&self, zone: i64, generation: i64) -> Result<Option<(i64, Serial)>, StoreError> {
        read_serial(&self.pool, zone, generation).await
    }

    /// Zones (of one group, if any is named) in order of their names, `limit` at most, those after the name `after`.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn zones(&self, after: &str, limit: i64, group: Option<&str>) -> Result<Vec<ZoneListed>, StoreError> {
        let rows =
            sqlx::query_file!("queries/reading/list_zones.sql", after, limit, group).fetch_all(&self.pool).await?;
        let mut zones = Vec::with_capacity(rows.len());
        for row in rows {
            let (changed_in, serial) = serial_of(row.touched, row.value.as_deref(), row.set_in)?;
            zones.push(ZoneListed { name: row.name, group: row.group_name, changed_in, serial });
        }
        Ok(zones)
    }
}

/// As [`Reading::serial_at`], wherever it is read.
pub(super) async fn read_serial(
    executor: impl PgExecutor<'_>,
    zone: i64,
    generation: i64,
) -> Result<Option<(i64, Serial)>, StoreError> {
    let row = sqlx::query_file!("queries/reading/zone_serial.sql", zone, generation).fetch_one(executor).await?;
    let Some(touched) = row.touched else { return Ok(None) };
    serial_of(touched, row.value.as_deref(), row.set_in).map(Some)
}

/// The serial by the rule that decisions go by.
fn serial_of(touched: i64, value: Option<&[u8]>, set_in: Option<i64>) -> Result<(i64, Serial), StoreError> {
    let serial = match (value, set_in) {
        (Some(value), Some(set_in)) => Some(read_set_serial(value, set_in)?),
        _ => None,
    };
    let history = ZoneHistory { serial, touched: Some(read_generation(touched)?), ..ZoneHistory::default() };
    let serial = history.serial_at_tip().ok_or_else(|| damaged("a zone without a serial"))?;
    Ok((touched, serial))
}

fn read_set_serial(value: &[u8], set_in: i64) -> Result<(Serial, Generation), StoreError> {
    match Content::from_value(&Key::Serial, value) {
        Ok(Content::Serial(serial)) => Ok((serial, read_generation(set_in)?)),
        Ok(other) => Err(damaged(format!("a serial that is {other:?}"))),
        Err(error) => Err(damaged(error)),
    }
}
