//! Reads the text of record data, field by field of its type's layout (RFC 1035 §5.1, RFC 3597 §5).

use super::error::RecordDataError;
use super::layout::{Field, layout};
use super::token::{Quotes, Word, Words};
use super::{DATA_LENGTH_MAX, RecordData, base32, bitmap, loc, mnemonics, svcb_text, time, wire};
use crate::{Name, RecordType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::{Ipv4Addr, Ipv6Addr};

type Read<T> = Result<T, RecordDataError>;

/// Reads all the words as the data of one record.
pub(crate) fn read(rtype: RecordType, words: &mut Words<'_>, origin: &Name) -> Read<RecordData> {
    let start = words.place();
    let octets = if words.peek().is_some_and(|word| word.is("\\#")) {
        words.next();
        unknown(words)?
    } else if let Some(layout) = layout(rtype) {
        let mut octets = Vec::with_capacity(32);
        for &field in layout {
            read_field(field, words, origin, &mut octets)?;
        }
        words.expect_end()?;
        octets
    } else {
        let noun = format!("`\\# length hex`, for {rtype} is a type without a text form of its own");
        let word = words.expect(&noun)?;
        return Err(word.is_not(&noun));
    };
    // Reading makes the fields; whether they fit together is known in one place, where wire form is checked.
    wire::check(rtype, &octets).map_err(|error| error.moved_to(start))?;
    Ok(RecordData(octets.into()))
}

fn read_field(field: Field, words: &mut Words<'_>, origin: &Name, wire: &mut Vec<u8>) -> Read<()> {
    let noun = field.noun();
    match field {
        Field::CompressibleName | Field::Name | Field::VerbatimName => {
            let word = words.expect_bare(noun)?;
            let name = Name::parse_relative(word.text, origin)
                .map_err(|error| word.fault(format!("expected {noun}, found {word}: {error}")))?;
            wire.extend_from_slice(name.as_wire());
        }
        Field::U8 => wire.push(number(words, noun)?),
        Field::U16 => wire.extend_from_slice(&number::<u16>(words, noun)?.to_be_bytes()),
        Field::U32 => wire.extend_from_slice(&number::<u32>(words, noun)?.to_be_bytes()),
        Field::Interval => wire.extend_from_slice(&parsed(words, noun, time::read_interval)?.to_be_bytes()),
        Field::Time => wire.extend_from_slice(&parsed(words, noun, time::read_time)?.to_be_bytes()),
        Field::Type => {
            let rtype: RecordType = parsed(words, noun, |text| text.parse().ok())?;
            wire.extend_from_slice(&rtype.0.to_be_bytes());
        }
        Field::Algorithm => wire.push(named_octet(words, noun, mnemonics::ALGORITHMS)?),
        Field::DigestType => wire.push(named_octet(words, noun, mnemonics::DIGEST_TYPES)?),
        Field::CertificateType => {
            let named = |text: &str| mnemonics::number(mnemonics::CERTIFICATE_TYPES, text).or_else(|| digits(text));
            wire.extend_from_slice(&parsed(words, noun, named)?.to_be_bytes());
        }
        Field::Ipv4 => wire.extend(parsed(words, noun, |text| text.parse::<Ipv4Addr>().ok())?.octets()),
        Field::Ipv6 => wire.extend(parsed(words, noun, |text| text.parse::<Ipv6Addr>().ok())?.octets()),
        Field::Eui48 => wire.extend(parsed(words, noun, |text| hyphenated(text, 6))?),
        Field::Eui64 => wire.extend(parsed(words, noun, |text| hyphenated(text, 8))?),
        Field::CharacterString => push_character_string(words.expect(noun)?, wire)?,
        Field::CharacterStrings => {
            push_character_string(words.expect(noun)?, wire)?;
            for word in words {
                push_character_string(word, wire)?;
            }
        }
        Field::Tag => {
            let word = words.expect(noun)?;
            let is_tag = !word.text.is_empty() && word.text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !is_tag || word.quotes == Quotes::AfterEqualSign {
                return Err(word.is_not(noun));
            }
            push_character_string(word, wire)?;
        }
        Field::Text(_) => wire.extend(string(words.expect(noun)?)?),
        Field::Hex(_) => wire.extend(hex_to_the_end(words, noun)?),
        Field::Base64(_) => wire.extend(base64_to_the_end(words, noun)?),
        Field::Salt => {
            let salt = parsed(words, noun, |text| if text == "-" { Some(Vec::new()) } else { hex::decode(text).ok() })?;
            push_prefixed(words, noun, &salt, wire)?;
        }
        Field::Hash => {
            let hash = parsed(words, noun, base32::read)?;
            push_prefixed(words, noun, &hash, wire)?;
        }
        Field::TypeBitmap => {
            let noun = "a record type";
            let mut types = Vec::new();
            while words.peek().is_some() {
                types.push(parsed(words, noun, |text| text.parse().ok())?);
            }
            bitmap::push(types, wire);
        }
        Field::Loc => loc::read(words, wire)?,
        Field::SvcParams => svcb_text::read(words, wire)?,
    }
    Ok(())
}

/// The next word, without quotes, as what `parse` makes of it.
fn parsed<T>(words: &mut Words<'_>, noun: &str, parse: impl FnOnce(&str) -> Option<T>) -> Read<T> {
    let word = words.expect_bare(noun)?;
    parse(word.text).ok_or_else(|| word.is_not(noun))
}

/// Digits alone: `FromStr` would take a plus sign as well.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn number<T: std::str::FromStr>(words: &mut Words<'_>, noun: &str) -> Read<T> {
    parsed(words, noun, digits)
}

fn named_octet(words: &mut Words<'_>, noun: &str, names: &[(&str, u16)]) -> Read<u8> {
    parsed(words, noun, |text| mnemonics::number(names, text).map_or_else(|| digits(text), |it| u8::try_from(it).ok()))
}

fn hyphenated(text: &str, octets: usize) -> Option<Vec<u8>> {
    let parts = text.split('-').map(|part| hex::decode(part).ok().filter(|octet| octet.len() == 1));
    let read: Vec<u8> = parts.collect::<Option<Vec<_>>>()?.concat();
    (read.len() == octets).then_some(read)
}

fn push_prefixed(words: &Words<'_>, noun: &str, octets: &[u8], wire: &mut Vec<u8>) -> Read<()> {
    let Ok(length) = u8::try_from(octets.len()) else {
        let message = format!("expected {noun} of at most 255 octets, found {}", octets.len());
        return Err(RecordDataError::in_text(words.place(), message));
    };
    wire.push(length);
    wire.extend_from_slice(octets);
    Ok(())
}

/// A word's octets, as a string.
fn string(word: Word<'_>) -> Read<Vec<u8>> {
    if word.quotes == Quotes::AfterEqualSign {
        return Err(word.fault(format!("the quotes must stand around the whole string, found {word}")));
    }
    unescape(word.text).map_err(|message| word.fault(message))
}

fn push_character_string(word: Word<'_>, wire: &mut Vec<u8>) -> Read<()> {
    let octets = string(word)?;
    let Ok(length) = u8::try_from(octets.len()) else {
        let advice = "cut it into several, each in its own quotes";
        return Err(word.fault(format!("a string of {} octets, and 255 are the most; {advice}", octets.len())));
    };
    wire.push(length);
    wire.extend_from_slice(&octets);
    Ok(())
}

/// Resolves `\DDD` and `\X` (RFC 1035 §5.1).
pub(super) fn unescape(text: &str) -> Result<Vec<u8>, &'static str> {
    const WRONG: &str = "a backslash must be followed by a character, or by three digits from 000 to 255";
    let mut octets = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            octets.push(byte);
            continue;
        }
        let first = bytes.next().ok_or(WRONG)?;
        if !first.is_ascii_digit() {
            octets.push(first);
            continue;
        }
        let mut value = u32::from(first - b'0');
        for _ in 0..2 {
            let digit = bytes.next().filter(u8::is_ascii_digit).ok_or(WRONG)?;
            value = value * 10 + u32::from(digit - b'0');
        }
        octets.push(u8::try_from(value).map_err(|_| WRONG)?);
    }
    Ok(octets)
}

/// All words as one run of hexadecimal digits; a word may end inside of an octet.
fn hex_to_the_end(words: &mut Words<'_>, noun: &str) -> Read<Vec<u8>> {
    let mut last = words.expect_bare(noun)?;
    let (mut digits, mut next) = (String::new(), Some(last));
    while let Some(word) = next {
        if word.quotes != Quotes::None || !word.text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(word.is_not(noun));
        }
        digits.push_str(word.text);
        last = word;
        next = words.next();
    }
    hex::decode(&digits).map_err(|_| last.fault(format!("expected two {noun} an octet, found {} digits", digits.len())))
}

/// All words as one run of base 64, padded (RFC 4648 §4).
fn base64_to_the_end(words: &mut Words<'_>, noun: &str) -> Read<Vec<u8>> {
    let first = words.expect_bare(noun)?;
    let (mut digits, mut next) = (String::new(), Some(first));
    while let Some(word) = next {
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        if word.quotes != Quotes::None || !word.text.bytes().all(is_digit) {
            return Err(word.is_not(noun));
        }
        digits.push_str(word.text);
        next = words.next();
    }
    STANDARD.decode(&digits).map_err(|_| {
        first.fault(format!("expected {noun}, found {} digits that are cut short or wrongly padded", digits.len()))
    })
}

/// What follows `\#`: the length, and so many octets in base 16 (RFC 3597 §5).
fn unknown(words: &mut Words<'_>) -> Read<Vec<u8>> {
    let word = words.expect_bare("the number of octets")?;
    let length = digits::<usize>(word.text).filter(|&length| length <= DATA_LENGTH_MAX);
    let length = length.ok_or_else(|| word.is_not("a number of octets from 0 to 65535"))?;
    let octets = if words.peek().is_none() { Vec::new() } else { hex_to_the_end(words, "hexadecimal digits")? };
    if octets.len() != length {
        return Err(word.fault(format!("expected {}, found {}", wire::octets(length), wire::octets(octets.len()))));
    }
    Ok(octets)
}
