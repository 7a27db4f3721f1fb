//! Settings of the group in a plan: `{"velocity":{"at_least":5,"percent":20},"references":false,"closed":"incident 7"}`. Null
//! takes a setting back to its default.

use crate::http::json::Json;
use crate::http::violations::{Fields, Rule, Violations, boolean, text, whole_number};
use std::collections::BTreeMap;
use zone_model::{Limit, Setting, SettingValue};

use super::checked_reason;

/// Reads `settings`.
pub(super) fn read(
    (json, place): (Json<'_>, String),
    violations: &mut Violations,
) -> BTreeMap<Setting, Option<SettingValue>> {
    let mut settings = BTreeMap::new();
    let Json::Object(entries) = json else {
        let message = format!("expected an object of settings by name, found {}", json.kind());
        violations.at(place, Some(Rule::WrongType), message);
        return settings;
    };
    if entries.is_empty() {
        violations.at(place.as_str(), None, "name a setting, or leave `settings` out");
    }
    for (name, value) in entries {
        let of_setting = format!("{place}.{name}");
        let Some(setting) = Setting::parse(&name) else {
            let known: Vec<&str> = Setting::ALL.iter().map(|setting| setting.as_str()).collect();
            let message = format!("there is no such setting; known are {}", known.join(", "));
            violations.at(of_setting, Some(Rule::UnknownField), message);
            continue;
        };
        if settings.contains_key(&setting) {
            violations.at(of_setting, Some(Rule::GivenTwice), "the setting is given twice");
            continue;
        }
        let value = match value {
            Json::Null => None,
            value => read_value(setting, (value, of_setting), violations),
        };
        // One that could not be read was told, and the plan goes no further.
        settings.insert(setting, value);
    }
    settings
}

fn read_value(setting: Setting, field: (Json<'_>, String), violations: &mut Violations) -> Option<SettingValue> {
    match setting {
        Setting::DeletedShare | Setting::ChangedShare | Setting::Velocity => {
            let (json, place) = field;
            let mut fields = Fields::open(json, &place, &["at_least", "percent"], violations)?;
            let at_least = fields.need("at_least", violations);
            let at_least = at_least.and_then(|field| whole_number(field, 0..=i64::from(u32::MAX), violations));
            let percent = fields.need("percent", violations).and_then(|field| whole_number(field, 0..=100, violations));
            Limit::new(u32::try_from(at_least?).ok()?, u8::try_from(percent?).ok()?).map(SettingValue::Limit)
        }
        Setting::References => boolean(field, violations).map(SettingValue::Switch),
        Setting::Closed => {
            let (reason, place) = text(field, violations)?;
            let reason = checked_reason(&reason, &place, violations)?;
            if reason.trim().is_empty() {
                violations.at(place, None, "say why the group is closed: planners are told; null opens it");
                return None;
            }
            Some(SettingValue::Closed(reason.into()))
        }
    }
}
