//! What a generation is made of: one row for each record set and each setting of a zone, in stored form.
//!
//! The stored form is what the digest is taken of, so it is canonical: one content has one form.

use crate::{
    Digest, Name, NameError, RecordData, RecordSet, RecordSetError, RecordType, Serial, SetKey, Setting, SettingValue,
};

/// Row type of a zone's `touched` mark: in which generation did a plan last change the zone. Not content: it stands
/// outside of footprints and digest.
pub const ROW_TYPE_TOUCHED: i32 = 65_536;
/// Row type of [`Key::Serial`].
pub const ROW_TYPE_SERIAL: i32 = 65_537;
/// Row type of [`Key::Guarded`].
pub const ROW_TYPE_GUARDED: i32 = 65_538;

/// What a row of content is known by within its zone, or within the group's own row-zone for a [`Key::Setting`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The zone's serial at the generation that set it; it goes on from there by one a generation.
    Serial,
    /// A guard on a record set: it stands, with a minimum of records.
    Guarded(SetKey),
    /// A setting of the group; of no zone.
    Setting(Setting),
    /// A record set.
    Records(SetKey),
}

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Under [`Key::Serial`].
    Serial(Serial),
    /// Under [`Key::Guarded`]: the fewest records that the set may have, at least 1.
    Minimum(u16),
    /// Under [`Key::Setting`].
    Setting(SettingValue),
    /// Under [`Key::Records`]. A SOA stands here with serial 0: its serial is a matter of generations.
    Records(RecordSet),
}

/// A key as three columns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyColumns {
    /// Owner in lower case relative to the zone, `@` for the apex.
    pub owner: String,
    /// A record type below 65,536, or one of ours above.
    pub rtype: i32,
    /// The type that an RRSIG set covers or that a guard guards, else 0.
    pub covered: i32,
}

/// Why stored bytes or columns are not content: the database holds what Holdfast never wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// The owner column is no relative name.
    #[error("stored owner `{0}`: {1}")]
    Owner(String, NameError),
    /// The type columns name nothing known.
    #[error("stored type {0} (covering {1}) is not known to this version")]
    Type(i32, i32),
    /// The value ends early, goes on too long, or is not in canonical form.
    #[error("stored value is damaged: {0}")]
    Value(String),
}

impl Key {
    /// The key as columns of a row.
    #[must_use]
    pub fn to_columns(&self, zone: &Name) -> KeyColumns {
        match self {
            Self::Serial => KeyColumns { owner: "@".to_owned(), rtype: ROW_TYPE_SERIAL, covered: 0 },
            Self::Setting(setting) => KeyColumns { owner: "@".to_owned(), rtype: setting.row_type(), covered: 0 },
            Self::Guarded(key) => KeyColumns {
                owner: key.owner().relative_to(zone).unwrap_or_default(),
                rtype: ROW_TYPE_GUARDED,
                covered: i32::from(key.rtype().0),
            },
            Self::Records(key) => KeyColumns {
                // A set's owner is within its zone by construction; an outsider would be refused by the column's check.
                owner: key.owner().relative_to(zone).unwrap_or_default(),
                rtype: i32::from(key.rtype().0),
                covered: i32::from(key.covered().0),
            },
        }
    }

    /// Reads a key back from columns.
    ///
    /// # Errors
    /// When the columns were not written by [`Key::to_columns`].
    pub fn from_columns(zone: &Name, owner: &str, rtype: i32, covered: i32) -> Result<Self, ContentError> {
        if rtype == ROW_TYPE_SERIAL && covered == 0 && owner == "@" {
            return Ok(Self::Serial);
        }
        if let Some(setting) = Setting::of_row_type(rtype)
            && covered == 0
            && owner == "@"
        {
            return Ok(Self::Setting(setting));
        }
        let number = |column| u16::try_from(column).map_err(|_| ContentError::Type(rtype, covered));
        let name = Name::parse_relative(owner, zone).map_err(|error| ContentError::Owner(owner.to_owned(), error))?;
        if rtype == ROW_TYPE_GUARDED {
            let guarded = RecordType(number(covered)?);
            let may_be_guarded = guarded.is_data() && guarded != RecordType::RRSIG && name.is_within(zone);
            return may_be_guarded
                .then(|| Self::Guarded(SetKey::new(&name, guarded)))
                .ok_or(ContentError::Type(rtype, covered));
        }
        let (rtype_number, covered_number) = (RecordType(number(rtype)?), RecordType(number(covered)?));
        if !rtype_number.is_data() || (rtype_number != RecordType::RRSIG && covered != 0) || !name.is_within(zone) {
            return Err(ContentError::Type(rtype, covered));
        }
        Ok(Self::Records(SetKey::covering(&name, rtype_number, covered_number)))
    }

    /// The digest of `content` standing under this key in `zone`: of zone, owner, types and stored form.
    #[must_use]
    pub fn digest(&self, zone: &Name, content: &Content) -> Digest {
        let mut canonical = Vec::with_capacity(128);
        canonical.extend_from_slice(zone.to_lowercase().as_wire());
        match self {
            Self::Serial => canonical.extend_from_slice(&ROW_TYPE_SERIAL.to_be_bytes()),
            Self::Setting(setting) => canonical.extend_from_slice(&setting.row_type().to_be_bytes()),
            Self::Guarded(key) => {
                canonical.extend_from_slice(&ROW_TYPE_GUARDED.to_be_bytes());
                canonical.extend_from_slice(&key.rtype().0.to_be_bytes());
                canonical.extend_from_slice(key.owner().as_wire());
            }
            Self::Records(key) => {
                canonical.extend_from_slice(&u32::from(key.rtype().0).to_be_bytes());
                canonical.extend_from_slice(&key.covered().0.to_be_bytes());
                canonical.extend_from_slice(key.owner().as_wire());
            }
        }
        content.write_value(&mut canonical);
        Digest::of(&canonical)
    }
}

impl Content {
    /// The stored form, never empty.
    #[must_use]
    pub fn to_value(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(64);
        self.write_value(&mut value);
        value
    }

    /// Serial: 4 octets. Minimum: 2. Records: ttl (4), length of the owner's spelling (1; 0 when in lower case) and the spelling
    /// in wire form, then for each record its length (2) and data, all big-endian.
    fn write_value(&self, value: &mut Vec<u8>) {
        match self {
            Self::Serial(serial) => value.extend_from_slice(&serial.0.to_be_bytes()),
            Self::Minimum(minimum) => value.extend_from_slice(&minimum.to_be_bytes()),
            Self::Setting(setting) => setting.write_value(value),
            Self::Records(set) => {
                value.extend_from_slice(&set.ttl().to_be_bytes());
                let spelled = set.owner().as_wire();
                if spelled.iter().any(u8::is_ascii_uppercase) {
                    value.push(u8::try_from(spelled.len()).unwrap_or(u8::MAX));
                    value.extend_from_slice(spelled);
                } else {
                    value.push(0);
                }
                for record in set.records() {
                    let data = record.as_wire();
                    value.extend_from_slice(&u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
                    value.extend_from_slice(data);
                }
            }
        }
    }

    /// Reads the stored form back, through the same door as everything from outside.
    ///
    /// # Errors
    /// When the bytes are not what [`Content::to_value`] writes under that key.
    pub fn from_value(key: &Key, value: &[u8]) -> Result<Self, ContentError> {
        let damaged = |what: &str| ContentError::Value(what.to_owned());
        let key = match key {
            Key::Serial => {
                let bytes = value.try_into().map_err(|_| damaged("a serial has 4 octets"))?;
                return Ok(Self::Serial(Serial(u32::from_be_bytes(bytes))));
            }
            Key::Guarded(_) => {
                let minimum = value.try_into().map(u16::from_be_bytes).ok().filter(|minimum| *minimum > 0);
                return minimum.map(Self::Minimum).ok_or_else(|| damaged("a minimum has 2 octets and is not 0"));
            }
            Key::Setting(setting) => {
                let read = SettingValue::from_value(*setting, value).map(Self::Setting);
                return read.ok_or_else(|| damaged("no value of that setting"));
            }
            Key::Records(key) => key,
        };
        let (ttl, rest) = value.split_first_chunk::<4>().ok_or_else(|| damaged("no ttl"))?;
        let (&spelled, mut rest) = rest.split_first().ok_or_else(|| damaged("no owner"))?;
        let mut owner = key.owner().clone();
        if spelled > 0 {
            let (wire, after) = rest.split_at_checked(usize::from(spelled)).ok_or_else(|| damaged("owner cut"))?;
            let spelling = Name::from_wire(wire).map_err(|error| ContentError::Value(error.to_string()))?;
            if spelling != owner {
                return Err(damaged("the owner is spelled as another name"));
            }
            (owner, rest) = (spelling, after);
        }
        let mut records = Vec::with_capacity(1);
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            let (data, after) = after.split_at_checked(length).ok_or_else(|| damaged("record cut"))?;
            let data =
                RecordData::from_wire(key.rtype(), data).map_err(|error| ContentError::Value(error.to_string()))?;
            records.push(data);
            rest = after;
        }
        if !rest.is_empty() {
            return Err(damaged("octets after the last record"));
        }
        let count = records.len();
        let set = RecordSet::new(owner, key.rtype(), u32::from_be_bytes(*ttl), records)
            .map_err(|error: RecordSetError| ContentError::Value(error.to_string()))?;
        if set.key() != *key || set.records().len() != count {
            return Err(damaged("the records are not a set of this key"));
        }
        Ok(Self::Records(set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn addresses(owner: &str) -> Content {
        let records = ["192.0.2.1", "192.0.2.2"]
            .iter()
            .map(|text| RecordData::parse(RecordType::A, text, &Name::root()).unwrap())
            .collect();
        Content::Records(RecordSet::new(name(owner), RecordType::A, 60, records).unwrap())
    }

    #[test]
    fn content_is_read_back_as_written_case_included() {
        let zone = name("example.");
        for owner in ["www.example.", "WwW.example.", "example.", r"\@.example.", r"a\.b\000.example."] {
            let content = addresses(owner);
            let key = Key::Records(SetKey::new(&name(owner), RecordType::A));
            let columns = key.to_columns(&zone);
            let read = Key::from_columns(&zone, &columns.owner, columns.rtype, columns.covered).unwrap();
            assert_eq!(read, key);
            assert_eq!(Content::from_value(&read, &content.to_value()).unwrap(), content);
        }
        let guard = Key::Guarded(SetKey::new(&name("a.example."), RecordType::AAAA));
        let columns = guard.to_columns(&zone);
        assert_eq!(Key::from_columns(&zone, &columns.owner, columns.rtype, columns.covered).unwrap(), guard);
        assert_eq!(Content::from_value(&guard, &Content::Minimum(2).to_value()).unwrap(), Content::Minimum(2));
        assert!(Content::from_value(&guard, &[0, 0]).is_err());
        assert!(Key::from_columns(&zone, "a", columns.rtype, 0).is_err());
        let closed = Key::Setting(Setting::Closed);
        let columns = closed.to_columns(&Name::root());
        assert_eq!(Key::from_columns(&Name::root(), "@", columns.rtype, 0).unwrap(), closed);
        let content = Content::Setting(SettingValue::Closed("why".into()));
        assert_eq!(Content::from_value(&closed, &content.to_value()).unwrap(), content);
        let serial = Content::Serial(Serial(7));
        assert_eq!(Content::from_value(&Key::Serial, &serial.to_value()).unwrap(), serial);
    }

    #[test]
    fn damaged_values_are_errors() {
        let key = Key::Records(SetKey::new(&name("www.example."), RecordType::A));
        let good = addresses("WWW.example.").to_value();
        for length in 0..good.len() {
            let cut = &good[..length];
            // A cut between two records is a smaller set, which only the digest can tell.
            if let Ok(Content::Records(set)) = Content::from_value(&key, cut) {
                assert_eq!(set.records().len(), 1);
            }
        }
        let mut swapped = good.clone();
        swapped[7] ^= 1;
        assert!(Content::from_value(&key, &swapped).is_err());
        assert!(Content::from_value(&Key::Serial, &[1, 2, 3]).is_err());
    }

    #[test]
    fn the_digest_tells_zones_keys_and_values_apart() {
        let key = |owner| Key::Records(SetKey::new(&name(owner), RecordType::A));
        let (content, zone) = (addresses("a.b.example."), name("example."));
        let digest = key("a.b.example.").digest(&zone, &content);
        assert_eq!(digest, key("A.b.example.").digest(&name("EXAMPLE."), &content));
        assert_ne!(digest, key("a.b.example.").digest(&name("b.example."), &content));
        assert_ne!(digest, key("a.b.example.").digest(&zone, &addresses("A.b.example.")));
    }
}
