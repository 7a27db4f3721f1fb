//! The parameters of SVCB and HTTPS in text (RFC 9460 §2.1, §7 and appendix A).

use super::error::RecordDataError;
use super::read_text::unescape;
use super::svcb::{check, expected, key, key_name, key_number, split};
use super::token::{Quotes, Word, Words};
use super::write_text::quote;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Reads parameters in any order and writes them in the order of their keys.
pub(super) fn read(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), RecordDataError> {
    let mut parameters: Vec<(u16, Vec<u8>, Word<'_>)> = Vec::new();
    for word in words.by_ref() {
        let noun = "a parameter like port=8443";
        if word.quotes == Quotes::Around {
            return Err(word.is_not(noun));
        }
        let (name, text) = word.text.split_once('=').map_or((word.text, None), |(name, text)| (name, Some(text)));
        let (number, by_name) = key_number(name).ok_or_else(|| word.is_not(noun))?;
        let octets = unescape(text.unwrap_or_default()).map_err(|message| word.fault(message))?;
        let value = if by_name { read_value(number, octets) } else { Some(octets) };
        let value = value.filter(|value| u16::try_from(value.len()).is_ok());
        let value = value.ok_or_else(|| word.fault(format!("expected {}, found {word}", expected(number))))?;
        parameters.push((number, value, word));
    }
    parameters.sort_by_key(|&(number, ..)| number);
    for pair in parameters.windows(2) {
        if let [(first, ..), (second, _, word)] = pair
            && first == second
        {
            return Err(word.fault(format!("the key {} is there twice", key_name(*second))));
        }
    }
    let start = wire.len();
    let mut places = Vec::with_capacity(parameters.len());
    for (number, value, word) in parameters {
        let length = u16::try_from(value.len()).map_err(|_| word.fault("a value of more than 65535 octets"))?;
        places.push((wire.len() - start, word));
        wire.extend(number.to_be_bytes());
        wire.extend(length.to_be_bytes());
        wire.extend(value);
    }
    check(wire.get(start..).unwrap_or_default()).map_err(|(octet, message)| {
        let at_fault = places.iter().rfind(|&&(start, _)| start <= octet).map(|&(_, word)| word);
        at_fault.map_or_else(|| words.fault(&*message), |word| word.fault(format!("{message}; see {word}")))
    })
}

/// The wire form of a value given by its key's name; whether it is all right is checked with the whole.
fn read_value(number: u16, octets: Vec<u8>) -> Option<Vec<u8>> {
    match number {
        key::MANDATORY => {
            let names = std::str::from_utf8(&octets).ok()?.split(',');
            let mut keys = names.map(|name| key_number(name).map(|(number, _)| number)).collect::<Option<Vec<_>>>()?;
            keys.sort_unstable();
            Some(keys.into_iter().flat_map(u16::to_be_bytes).collect())
        }
        key::ALPN => read_list(&octets),
        key::PORT => {
            let digits = octets.iter().all(u8::is_ascii_digit);
            let port: u16 = std::str::from_utf8(&octets).ok().filter(|_| digits)?.parse().ok()?;
            Some(port.to_be_bytes().to_vec())
        }
        key::IPV4HINT => addresses(&octets, |text| Some(text.parse::<Ipv4Addr>().ok()?.octets().to_vec())),
        key::IPV6HINT => addresses(&octets, |text| Some(text.parse::<Ipv6Addr>().ok()?.octets().to_vec())),
        key::ECH => STANDARD.decode(&octets).ok(),
        _ => Some(octets),
    }
}

fn addresses(octets: &[u8], read: impl Fn(&str) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let read: Option<Vec<_>> = std::str::from_utf8(octets).ok()?.split(',').map(read).collect();
    Some(read?.concat())
}

/// A list of items with commas between them, where `\,` and `\\` stand for themselves (RFC 9460 §A.1). This is a second
/// layer of escapes, within those of the string.
fn read_list(octets: &[u8]) -> Option<Vec<u8>> {
    let (mut wire, mut item) = (Vec::with_capacity(octets.len() + 1), Vec::new());
    let mut rest = octets.iter().copied();
    loop {
        match rest.next() {
            None | Some(b',') if item.is_empty() => return None,
            next @ (None | Some(b',')) => {
                wire.push(u8::try_from(item.len()).ok()?);
                wire.append(&mut item);
                if next.is_none() {
                    return Some(wire);
                }
            }
            Some(b'\\') => item.push(rest.next().filter(|next| matches!(next, b',' | b'\\'))?),
            Some(octet) => item.push(octet),
        }
    }
}

/// Writes well-formed parameters in the order they stand.
pub(super) fn write(wire: &[u8], text: &mut String) -> Option<()> {
    let mut rest = wire;
    while !rest.is_empty() {
        let (number, value, after) = split(rest)?;
        if rest.len() < wire.len() {
            text.push(' ');
        }
        text.push_str(&key_name(number));
        if !value.is_empty() {
            text.push('=');
            write_value(number, value, text)?;
        }
        rest = after;
    }
    Some(())
}

fn write_value(number: u16, value: &[u8], text: &mut String) -> Option<()> {
    match number {
        key::MANDATORY => {
            let keys = value.as_chunks::<2>().0.iter().map(|&key| key_name(u16::from_be_bytes(key)));
            text.push_str(&keys.collect::<Vec<_>>().join(","));
        }
        key::ALPN => {
            let (mut list, mut rest) = (Vec::with_capacity(value.len()), value);
            while let Some((&length, after)) = rest.split_first() {
                let (item, after) = after.split_at_checked(usize::from(length))?;
                if !list.is_empty() {
                    list.push(b',');
                }
                for &octet in item {
                    if matches!(octet, b',' | b'\\') {
                        list.push(b'\\');
                    }
                    list.push(octet);
                }
                rest = after;
            }
            quote(&list, text);
        }
        key::PORT => write!(text, "{}", u16::from_be_bytes(*value.first_chunk()?)).ok()?,
        key::IPV4HINT => {
            let addresses = value.as_chunks::<4>().0.iter().map(|&address| Ipv4Addr::from(address).to_string());
            text.push_str(&addresses.collect::<Vec<_>>().join(","));
        }
        key::IPV6HINT => {
            let addresses = value.as_chunks::<16>().0.iter().map(|&address| Ipv6Addr::from(address).to_string());
            text.push_str(&addresses.collect::<Vec<_>>().join(","));
        }
        key::ECH => STANDARD.encode_string(value, text),
        _ => quote(value, text),
    }
    Some(())
}
