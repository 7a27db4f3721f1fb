//! Record data: uncompressed wire form, checked against its type, and its text (RFC 1035 §3.3 and §5, RFC 3597).
//!
//! One table, [`layout`], says for each type which fields it is made of. Everything else (checking wire form, finding
//! embedded names, reading and writing text) walks that table, so a new type is one line there.

mod base32;
mod bitmap;
mod error;
mod layout;
mod loc;
mod mnemonics;
mod read_text;
mod soa;
mod svcb;
mod svcb_text;
#[cfg(test)]
mod tests;
mod time;
pub(crate) mod token;
mod wire;
mod write_text;

pub use error::RecordDataError;
pub use soa::Soa;

pub(crate) use error::Place;
pub(crate) use read_text::read;
pub(crate) use time::read_interval;

use crate::{Name, RecordType};
use layout::Field;
use std::borrow::Cow;
use std::ops::Range;
use token::Entry;

/// The most octets of data a record can have: RDLENGTH has 16 bits (RFC 1035 §3.2.1).
pub(crate) const DATA_LENGTH_MAX: usize = 65_535;

/// The data of one record in uncompressed wire form, well-formed for its type; names in it are kept as spelled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordData(Box<[u8]>);

/// A domain name inside record data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedName {
    /// Where its uncompressed wire form stands in the data.
    pub range: Range<usize>,
    /// Whether a message may hold it compressed: only in the types of RFC 1035 (RFC 3597 §4).
    pub compressible: bool,
}

impl EmbeddedName {
    /// The names embedded in `wire`, which is well-formed data of this type, in order. Allocates nothing; for servers, which
    /// keep data as octets.
    pub fn all_in(rtype: RecordType, wire: &[u8]) -> impl Iterator<Item = Self> + '_ {
        wire::names(rtype, wire).map(|(field, range)| Self { range, compressible: field == Field::CompressibleName })
    }
}

impl RecordData {
    /// Takes uncompressed wire form. Data of a known type must be well-formed for it; a type that is not known may hold
    /// any octets (RFC 3597 §3).
    ///
    /// # Errors
    /// What is expected where (by octet), and what stands there; or more than 65,535 octets.
    pub fn from_wire(rtype: RecordType, wire: &[u8]) -> Result<Self, RecordDataError> {
        wire::check(rtype, wire)?;
        Ok(Self(wire.into()))
    }

    /// Reads presentation form by the rules of zone files (RFC 1035 §5.1): quoted strings, escapes, parentheses, names
    /// relative to `origin`; for every type also `\# length hex` (RFC 3597 §5).
    ///
    /// An unquoted semicolon is refused rather than read as a comment: what follows it would be lost in silence.
    ///
    /// # Errors
    /// What is expected where (by line and column), and what stands there.
    pub fn parse(rtype: RecordType, text: &str, origin: &Name) -> Result<Self, RecordDataError> {
        let entry = Entry::of_record_data(text)?;
        read(rtype, &mut entry.words(), origin)
    }

    /// Presentation form on one line, names absolute; reading it gives the same octets. A type that is not known, and
    /// octets that do not fit `rtype`, are written as `\# length hex` (RFC 3597 §5).
    #[must_use]
    pub fn to_text(&self, rtype: RecordType) -> String {
        write_text::write(rtype, &self.0)
    }

    /// The uncompressed wire form.
    #[must_use]
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The canonical form, by which data are compared: embedded names in lower case for the types of RFC 4034 §6.2 as
    /// corrected by RFC 6840 §5.1. Later types (NSEC, SVCB, HTTPS) and unknown ones compare octet by octet (RFC 3597 §6).
    #[must_use]
    pub fn canonical(&self, rtype: RecordType) -> Cow<'_, [u8]> {
        let mut canonical = Cow::Borrowed(&*self.0);
        for (field, range) in wire::names(rtype, &self.0) {
            let spelled = self.0.get(range.clone()).unwrap_or_default();
            if field != Field::VerbatimName && spelled.iter().any(u8::is_ascii_uppercase) {
                // Length octets are at most 63, below every ASCII letter, so they pass unharmed.
                if let Some(name) = canonical.to_mut().get_mut(range) {
                    name.make_ascii_lowercase();
                }
            }
        }
        canonical
    }

    /// Where the embedded names are, in order. Allocates nothing when the type has none.
    #[must_use]
    pub fn name_ranges(&self, rtype: RecordType) -> Vec<Range<usize>> {
        self.embedded_names(rtype).map(|name| name.range).collect()
    }

    /// The embedded names, in order, and whether they may be compressed (RFC 3597 §4). Allocates nothing.
    pub fn embedded_names(&self, rtype: RecordType) -> impl Iterator<Item = EmbeddedName> + '_ {
        EmbeddedName::all_in(rtype, &self.0)
    }

    /// The name that a record of type CNAME, DNAME, NS, PTR, MX, SRV, SVCB, HTTPS, KX or AFSDB points to; none for other
    /// types. The root is returned as such, whatever it means: none such for MX (RFC 7505 §3) and SRV (RFC 2782), the
    /// owner for SVCB in service mode (RFC 9460 §2.5.2).
    #[must_use]
    pub fn target(&self, rtype: RecordType) -> Option<Name> {
        use RecordType as T;
        if !matches!(
            rtype,
            T::CNAME | T::DNAME | T::NS | T::PTR | T::MX | T::SRV | T::SVCB | T::HTTPS | T::KX | T::AFSDB
        ) {
            return None;
        }
        let (_, range) = wire::names(rtype, &self.0).next()?;
        Name::from_wire(self.0.get(range)?).ok()
    }

    /// The type that an RRSIG record covers: its first two octets (RFC 4034 §3.1.1). For RRSIG only.
    #[must_use]
    pub fn covered_type(&self) -> Option<RecordType> {
        self.0.first_chunk().map(|octets| RecordType(u16::from_be_bytes(*octets)))
    }
}
