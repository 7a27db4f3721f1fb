//! Walks wire form by its type's layout: checks each field, and says where it stands.

use super::error::RecordDataError;
use super::layout::{Field, layout};
use super::{DATA_LENGTH_MAX, bitmap, loc, svcb};
use crate::RecordType;
use crate::name::{LABEL_LENGTH_MAX, NAME_LENGTH_MAX};
use std::ops::Range;

/// Whether `wire` is well-formed for `rtype`.
pub(super) fn check(rtype: RecordType, wire: &[u8]) -> Result<(), RecordDataError> {
    if wire.len() > DATA_LENGTH_MAX {
        let message = format!("expected at most {DATA_LENGTH_MAX} octets, found {}", wire.len());
        return Err(RecordDataError::in_wire(DATA_LENGTH_MAX, message));
    }
    layout(rtype).map_or(Ok(()), |layout| fields(layout, wire).try_for_each(|field| field.map(drop)))
}

/// The embedded names of well-formed data, in order.
pub(super) fn names(rtype: RecordType, wire: &[u8]) -> impl Iterator<Item = (Field, Range<usize>)> + '_ {
    let layout = layout(rtype).unwrap_or_default();
    // Fields after the last name need no look: most types have no name at all.
    let end = layout.iter().rposition(|field| field.is_name()).map_or(0, |last| last + 1);
    let fields = Fields { layout: layout.get(..end).unwrap_or_default(), wire, at: 0, to_the_end: false };
    fields.map_while(Result::ok).filter(|(field, _)| field.is_name())
}

/// The fields, each checked, in order; ends at the first that is wrong.
pub(super) fn fields<'a>(layout: &'static [Field], wire: &'a [u8]) -> Fields<'a> {
    Fields { layout, wire, at: 0, to_the_end: true }
}

/// Iterator over the fields of one record's data.
pub(super) struct Fields<'a> {
    layout: &'static [Field],
    wire: &'a [u8],
    at: usize,
    to_the_end: bool,
}

impl Iterator for Fields<'_> {
    type Item = Result<(Field, Range<usize>), RecordDataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.wire.get(self.at..).unwrap_or_default();
        let Some((&field, layout)) = self.layout.split_first() else {
            if self.to_the_end && !rest.is_empty() {
                self.to_the_end = false;
                let message = format!("expected the end of the record data, found {} more", octets(rest.len()));
                return Some(Err(RecordDataError::in_wire(self.at, message)));
            }
            return None;
        };
        match length(field, rest) {
            Ok(length) => {
                let range = self.at..self.at + length;
                (self.layout, self.at) = (layout, range.end);
                Some(Ok((field, range)))
            }
            Err((octet, message)) => {
                (self.layout, self.to_the_end) = (&[], false);
                Some(Err(RecordDataError::in_wire(self.at + octet, message)))
            }
        }
    }
}

/// What is wrong, and at which octet of what was looked at.
pub(super) type Wrong = (usize, String);

/// How many octets at the front of `rest` are this field; never more than there are.
fn length(field: Field, rest: &[u8]) -> Result<usize, Wrong> {
    let length = match field {
        Field::CompressibleName | Field::Name | Field::VerbatimName => return name_length(rest),
        Field::U8 | Field::Algorithm | Field::DigestType => 1,
        Field::U16 | Field::Type | Field::CertificateType => 2,
        Field::U32 | Field::Interval | Field::Time | Field::Ipv4 => 4,
        Field::Eui48 => 6,
        Field::Eui64 => 8,
        Field::Ipv6 => 16,
        Field::Loc => return loc::check(rest).map(|()| loc::LENGTH),
        Field::CharacterString | Field::Salt => return prefixed(field, rest, 0),
        Field::Hash => return prefixed(field, rest, 1),
        Field::Tag => {
            let length = prefixed(field, rest, 1)?;
            let bad = rest.iter().take(length).skip(1).position(|octet| !octet.is_ascii_alphanumeric());
            return bad.map_or(Ok(length), |at| Err((at + 1, format!("expected {}", field.noun()))));
        }
        Field::CharacterStrings => {
            let mut at = prefixed(field, rest, 0)?;
            while at < rest.len() {
                let next = prefixed(Field::CharacterString, rest.get(at..).unwrap_or_default(), 0);
                at += next.map_err(|(octet, message)| (at + octet, message))?;
            }
            return Ok(at);
        }
        Field::Text(least) | Field::Hex(least) | Field::Base64(least) if rest.len() < least => {
            let (noun, least, found) = (field.noun(), octets(least), octets(rest.len()));
            return Err((0, format!("expected {noun} of at least {least}, found {found}")));
        }
        Field::Text(_) | Field::Hex(_) | Field::Base64(_) => rest.len(),
        Field::TypeBitmap => return bitmap::check(rest).map(|()| rest.len()),
        Field::SvcParams => return svcb::check(rest).map(|()| rest.len()),
    };
    if length <= rest.len() {
        return Ok(length);
    }
    Err((0, format!("expected {} ({}), found {}", field.noun(), octets(length), octets(rest.len()))))
}

/// `no octets`, `1 octet`, `2 octets`.
pub(super) fn octets(count: usize) -> String {
    match count {
        0 => "no octets".to_owned(),
        1 => "1 octet".to_owned(),
        _ => format!("{count} octets"),
    }
}

/// One octet of length and as many octets, at least `least`.
fn prefixed(field: Field, rest: &[u8], least: usize) -> Result<usize, Wrong> {
    let Some((&length, rest)) = rest.split_first() else {
        return Err((0, format!("expected {}, found no octets", field.noun())));
    };
    let length = usize::from(length);
    if length < least {
        return Err((0, format!("expected {}, found an empty one", field.noun())));
    }
    if length > rest.len() {
        let found = octets(rest.len());
        return Err((0, format!("expected {} of {} by its length octet, found {found}", field.noun(), octets(length))));
    }
    Ok(1 + length)
}

fn name_length(rest: &[u8]) -> Result<usize, Wrong> {
    let mut at = 0;
    loop {
        let Some(&length) = rest.get(at) else {
            return Err((at, "expected a domain name, found the end before its root label".to_owned()));
        };
        let length = usize::from(length);
        if length > LABEL_LENGTH_MAX {
            return Err((at, "expected a domain name without compression, in labels of at most 63 octets".to_owned()));
        }
        at += 1 + length;
        if at > NAME_LENGTH_MAX {
            return Err((0, "expected a domain name of at most 255 octets".to_owned()));
        }
        if length == 0 {
            return Ok(at);
        }
    }
}
