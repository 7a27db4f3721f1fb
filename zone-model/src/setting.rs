//! Settings of a group: limits of its guards, and whether it is closed to planners. Content like record sets: a plan
//! changes them, they are in the digest, and they stand from a generation on.

use crate::REASON_LENGTH_MAX;

/// What can be set for a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// How many record sets of a zone one plan may delete.
    DeletedShare,
    /// How many record sets of a zone one plan may change.
    ChangedShare,
    /// How many record sets of the group planners may delete within an hour, over all plans.
    Velocity,
    /// Whether the targets of CNAME, NS, MX and SRV inside the group have to exist.
    References,
    /// Whether planners are shut out, and why.
    Closed,
}

/// The value of a setting, of the kind that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// For [`Setting::DeletedShare`], [`Setting::ChangedShare`] and [`Setting::Velocity`].
    Limit(Limit),
    /// For [`Setting::References`].
    Switch(bool),
    /// For [`Setting::Closed`]: the reason, 1 to [`REASON_LENGTH_MAX`] characters.
    Closed(Box<str>),
}

/// How many of so many: a share of what stands, but always at least a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Always allowed.
    pub at_least: u32,
    /// Allowed of what stands, in percent, 0 to 100.
    percent: u8,
}

impl Limit {
    /// A limit; none above 100 percent.
    #[must_use]
    pub const fn new(at_least: u32, percent: u8) -> Option<Self> {
        if percent <= 100 { Some(Self { at_least, percent }) } else { None }
    }

    /// The percentage, 0 to 100.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.percent
    }

    /// How many are allowed where `standing` stand: whole ones, rounded down.
    #[must_use]
    pub fn of(self, standing: u64) -> u64 {
        let share = u128::from(standing) * u128::from(self.percent) / 100;
        u64::from(self.at_least).max(u64::try_from(share).unwrap_or(u64::MAX))
    }
}

impl Setting {
    /// All settings.
    pub const ALL: &[Self] = &[Self::DeletedShare, Self::ChangedShare, Self::Velocity, Self::References, Self::Closed];

    /// The name in plans.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeletedShare => "deleted-share",
            Self::ChangedShare => "changed-share",
            Self::Velocity => "velocity",
            Self::References => "references",
            Self::Closed => "closed",
        }
    }

    /// Reads a setting's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|setting| setting.as_str() == text)
    }

    /// The limit that holds while a group sets none; none for what is no limit.
    #[must_use]
    pub const fn default_limit(self) -> Option<Limit> {
        match self {
            Self::DeletedShare => Limit::new(1, 10),
            Self::ChangedShare => Limit::new(4, 50),
            Self::Velocity => Limit::new(2, 20),
            Self::References | Self::Closed => None,
        }
    }

    /// The row type under which it stands.
    #[must_use]
    pub const fn row_type(self) -> i32 {
        match self {
            Self::DeletedShare => 65_540,
            Self::ChangedShare => 65_541,
            Self::Velocity => 65_542,
            Self::References => 65_543,
            Self::Closed => 65_544,
        }
    }

    pub(crate) fn of_row_type(rtype: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|setting| setting.row_type() == rtype)
    }
}

impl SettingValue {
    /// Whether it is a value of the kind that `setting` takes.
    #[must_use]
    pub fn fits(&self, setting: Setting) -> bool {
        match self {
            Self::Limit(_) => setting.default_limit().is_some(),
            Self::Switch(_) => setting == Setting::References,
            Self::Closed(reason) => {
                setting == Setting::Closed && (1..=REASON_LENGTH_MAX).contains(&reason.chars().count())
            }
        }
    }

    /// Limit: the number always allowed (4, big-endian) and the percentage (1). Switch: 0 or 1. Closed: the reason.
    pub(crate) fn write_value(&self, value: &mut Vec<u8>) {
        match self {
            Self::Limit(limit) => {
                value.extend_from_slice(&limit.at_least.to_be_bytes());
                value.push(limit.percent);
            }
            Self::Switch(on) => value.push(u8::from(*on)),
            Self::Closed(reason) => value.extend_from_slice(reason.as_bytes()),
        }
    }

    pub(crate) fn from_value(setting: Setting, value: &[u8]) -> Option<Self> {
        let read = match setting {
            Setting::DeletedShare | Setting::ChangedShare | Setting::Velocity => {
                let (percent, at_least) = value.split_last()?;
                Self::Limit(Limit::new(u32::from_be_bytes(at_least.try_into().ok()?), *percent)?)
            }
            Setting::References => match value {
                [0] => Self::Switch(false),
                [1] => Self::Switch(true),
                _ => return None,
            },
            Setting::Closed => Self::Closed(std::str::from_utf8(value).ok()?.into()),
        };
        read.fits(setting).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_allows_the_greater_of_a_few_and_a_share() {
        let limit = Limit::new(2, 20).unwrap();
        assert_eq!((limit.of(0), limit.of(10), limit.of(14), limit.of(15), limit.of(1_000)), (2, 2, 2, 3, 200));
        assert_eq!(Limit::new(0, 101), None);
        assert_eq!(Limit::new(0, 100).unwrap().of(u64::MAX), u64::MAX);
    }

    #[test]
    fn values_are_read_back_as_written_and_fit_their_setting_alone() {
        let values = [
            SettingValue::Limit(Limit::new(7, 3).unwrap()),
            SettingValue::Switch(true),
            SettingValue::Closed("rolled back".into()),
        ];
        for setting in Setting::ALL {
            assert_eq!(Setting::parse(setting.as_str()), Some(*setting));
            assert_eq!(Setting::of_row_type(setting.row_type()), Some(*setting));
            let fitting: Vec<_> = values.iter().filter(|value| value.fits(*setting)).collect();
            assert_eq!(fitting.len(), 1, "{setting:?}");
            let mut written = Vec::new();
            fitting[0].write_value(&mut written);
            assert_eq!(SettingValue::from_value(*setting, &written).as_ref(), Some(fitting[0]));
            assert_eq!(SettingValue::from_value(*setting, &[]), None);
        }
        assert_eq!(SettingValue::from_value(Setting::Velocity, &[0, 0, 0, 1, 101]), None);
        assert!(!SettingValue::Closed("x".repeat(REASON_LENGTH_MAX + 1).into()).fits(Setting::Closed));
    }
}
