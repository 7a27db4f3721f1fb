//! Settings of a group, and the guards in its zones.

use super::{GroupFound, Reading, damaged};
use crate::store::StoreError;
use zone_model::{Content, Key, Name, SetKey, Setting, SettingValue};

/// What stands of a group besides what is answered.
#[derive(Clone, Debug, Default)]
pub struct SettingsFound {
    /// Settings that are not at their defaults.
    pub settings: Vec<(Setting, SettingValue)>,
    /// Guarded record sets with the fewest records that each may have, a thousand at most.
    pub guards: Vec<(Name, SetKey, u16)>,
}

impl Reading {
    /// What stands at the tip.
    ///
    /// # Errors
    /// When the database could not be asked, or a row is damaged.
    pub async fn settings(&self, group: &GroupFound) -> Result<SettingsFound, StoreError> {
        let rows =
            sqlx::query_file!("queries/reading/settings_of_group.sql", group.number).fetch_all(&self.pool).await?;
        let mut found = SettingsFound::default();
        for row in rows {
            let zone = row.zone_name.as_deref().map_or(Ok(Name::root()), Name::parse).map_err(damaged)?;
            let key = Key::from_columns(&zone, &row.owner, row.rtype, row.covered).map_err(damaged)?;
            match (Content::from_value(&key, &row.value).map_err(damaged)?, key) {
                (Content::Setting(value), Key::Setting(setting)) => found.settings.push((setting, value)),
                (Content::Minimum(minimum), Key::Guarded(key)) => found.guards.push((zone, key, minimum)),
                (other, key) => return Err(damaged(format_args!("{other:?} under {key:?}"))),
            }
        }
        Ok(found)
    }
}
