//! Writes the text of record data, field by field of its type's layout (RFC 1035 §5.1, RFC 3597 §5).

use super::layout::{Field, layout};
use super::{base32, bitmap, loc, svcb_text, time, wire};
use crate::{Name, RecordType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The text of `octets` as `rtype` writes it, or as RFC 3597 does where the type has no way to.
pub(super) fn write(rtype: RecordType, octets: &[u8]) -> String {
    known(rtype, octets).unwrap_or_else(|| unknown(octets))
}

/// `\#`, the length, and the octets in base 16 (RFC 3597 §5).
fn unknown(octets: &[u8]) -> String {
    let length = octets.len();
    if octets.is_empty() { format!("\\# {length}") } else { format!("\\# {length} {}", hex::encode_upper(octets)) }
}

fn known(rtype: RecordType, octets: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(octets.len() * 2);
    for field in wire::fields(layout(rtype)?, octets) {
        let (field, range) = field.ok()?;
        let start = text.len();
        if !text.is_empty() {
            text.push(' ');
        }
        let before = text.len();
        write_field(field, octets.get(range)?, &mut text)?;
        if text.len() == before {
            text.truncate(start);
        }
    }
    Some(text)
}

fn write_field(field: Field, octets: &[u8], text: &mut String) -> Option<()> {
    match field {
        Field::CompressibleName | Field::Name | Field::VerbatimName => {
            write!(text, "{}", Name::from_wire(octets).ok()?).ok()?;
        }
        Field::U8
        | Field::U16
        | Field::U32
        | Field::Interval
        | Field::Algorithm
        | Field::DigestType
        | Field::CertificateType => write!(text, "{}", number(octets)).ok()?,
        Field::Time => text.push_str(&time::write_time(number(octets))),
        Field::Type => write!(text, "{}", RecordType(u16::try_from(number(octets)).ok()?)).ok()?,
        Field::Ipv4 => write!(text, "{}", Ipv4Addr::from(*octets.first_chunk::<4>()?)).ok()?,
        Field::Ipv6 => write!(text, "{}", Ipv6Addr::from(*octets.first_chunk::<16>()?)).ok()?,
        Field::Eui48 | Field::Eui64 => {
            let octets: Vec<_> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            text.push_str(&octets.join("-"));
        }
        Field::CharacterString => quote(octets.get(1..)?, text),
        Field::CharacterStrings => write_character_strings(octets, text)?,
        Field::Tag => text.push_str(std::str::from_utf8(octets.get(1..)?).ok()?),
        Field::Text(_) => quote(octets, text),
        Field::Hex(_) => text.push_str(&hex::encode_upper(octets)),
        Field::Base64(_) => STANDARD.encode_string(octets, text),
        Field::Salt => match octets.get(1..)? {
            [] => text.push('-'),
            salt => text.push_str(&hex::encode_upper(salt)),
        },
        Field::Hash => base32::write(octets.get(1..)?, text),
        Field::TypeBitmap => {
            let types: Vec<_> = bitmap::types(octets).iter().map(ToString::to_string).collect();
            text.push_str(&types.join(" "));
        }
        Field::Loc => loc::write(octets, text)?,
        Field::SvcParams => svcb_text::write(octets, text)?,
    }
    Some(())
}

fn number(octets: &[u8]) -> u32 {
    octets.iter().fold(0, |number, &octet| number << 8 | u32::from(octet))
}

fn write_character_strings(octets: &[u8], text: &mut String) -> Option<()> {
    let mut rest = octets;
    while let Some((&length, after)) = rest.split_first() {
        let (string, after) = after.split_at_checked(usize::from(length))?;
        if rest.len() < octets.len() {
            text.push(' ');
        }
        quote(string, text);
        rest = after;
    }
    Some(())
}

/// Octets as a quoted string.
pub(super) fn quote(octets: &[u8], text: &mut String) {
    text.push('"');
    for &octet in octets {
        match octet {
            b'"' | b'\\' => text.extend(['\\', char::from(octet)]),
            b' '..=b'~' => text.push(char::from(octet)),
            _ => text.extend(['\\', digit(octet / 100), digit(octet / 10 % 10), digit(octet % 10)]),
        }
    }
    text.push('"');
}

fn digit(value: u8) -> char {
    char::from(b'0' + value)
}
