//! The parameters of SVCB and HTTPS in wire form (RFC 9460 §2.2, §7 and §8).

use super::wire::Wrong;

/// Keys of parameters that are known here.
pub(super) mod key {
    /// RFC 9460 §8.
    pub(in crate::record_data) const MANDATORY: u16 = 0;
    /// RFC 9460 §7.1.
    pub(in crate::record_data) const ALPN: u16 = 1;
    /// RFC 9460 §7.1.
    pub(in crate::record_data) const NO_DEFAULT_ALPN: u16 = 2;
    /// RFC 9460 §7.2.
    pub(in crate::record_data) const PORT: u16 = 3;
    /// RFC 9460 §7.3.
    pub(in crate::record_data) const IPV4HINT: u16 = 4;
    /// RFC 9848 §3.
    pub(in crate::record_data) const ECH: u16 = 5;
    /// RFC 9460 §7.3.
    pub(in crate::record_data) const IPV6HINT: u16 = 6;
    /// RFC 9461 §5.
    pub(in crate::record_data) const DOHPATH: u16 = 7;
    /// RFC 9540 §4.
    pub(in crate::record_data) const OHTTP: u16 = 8;
    /// Reserved as invalid (RFC 9460 §14.3.2).
    pub(in crate::record_data) const INVALID: u16 = 65_535;
}

const NAMES: &[(&str, u16)] = &[
    ("mandatory", key::MANDATORY),
    ("alpn", key::ALPN),
    ("no-default-alpn", key::NO_DEFAULT_ALPN),
    ("port", key::PORT),
    ("ipv4hint", key::IPV4HINT),
    ("ech", key::ECH),
    ("ipv6hint", key::IPV6HINT),
    ("dohpath", key::DOHPATH),
    ("ohttp", key::OHTTP),
];

/// The name of a key, `key65000` where it has none (RFC 9460 §2.1).
pub(super) fn key_name(number: u16) -> String {
    let known = NAMES.iter().find(|&&(_, known)| known == number);
    known.map_or_else(|| format!("key{number}"), |&(name, _)| name.to_owned())
}

/// The number of a key by name or as `key65000`, and whether it was by name. Key names are in lower case (RFC 9460 §2.1).
pub(super) fn key_number(text: &str) -> Option<(u16, bool)> {
    if let Some(&(_, number)) = NAMES.iter().find(|&&(name, _)| name == text) {
        return Some((number, true));
    }
    let digits = text.strip_prefix("key")?;
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    is_plain.then(|| digits.parse().ok())?.map(|number| (number, false))
}

/// Takes the first parameter: its key, its value, and what follows.
pub(super) fn split(wire: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (&[key0, key1, length0, length1], rest) = wire.split_first_chunk()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([length0, length1])))?;
    Some((u16::from_be_bytes([key0, key1]), value, rest))
}

/// Whether the parameters are well-formed, ascending, and agree with each other (RFC 9460 §2.2 and §8).
pub(super) fn check(wire: &[u8]) -> Result<(), Wrong> {
    let (mut at, mut rest) = (0, wire);
    let mut keys = Vec::new();
    let mut mandatory: &[u8] = &[];
    while !rest.is_empty() {
        let (key, value, after) =
            split(rest).ok_or_else(|| (at, "expected a key, a length and so many octets of value".to_owned()))?;
        if keys.last().is_some_and(|&last| last >= key) {
            return Err((at, format!("expected keys in ascending order, each once, found {}", key_name(key))));
        }
        check_value(key, value).map_err(|message| (at + 4, message))?;
        if key == key::MANDATORY {
            mandatory = value;
        }
        keys.push(key);
        (at, rest) = (at + 4 + value.len(), after);
    }
    for &wanted in mandatory.as_chunks::<2>().0 {
        let wanted = u16::from_be_bytes(wanted);
        if keys.binary_search(&wanted).is_err() {
            return Err((0, format!("the key {} is mandatory and missing", key_name(wanted))));
        }
    }
    if keys.contains(&key::NO_DEFAULT_ALPN) && !keys.contains(&key::ALPN) {
        return Err((0, "no-default-alpn is of no use without alpn".to_owned()));
    }
    Ok(())
}

fn check_value(key: u16, value: &[u8]) -> Result<(), String> {
    let fits = match key {
        key::MANDATORY => return check_mandatory(value),
        key::ALPN => is_alpn(value),
        key::NO_DEFAULT_ALPN | key::OHTTP => value.is_empty(),
        key::PORT => value.len() == 2,
        key::IPV4HINT => !value.is_empty() && value.len().is_multiple_of(4),
        key::IPV6HINT => !value.is_empty() && value.len().is_multiple_of(16),
        key::ECH => !value.is_empty(),
        key::DOHPATH => !value.is_empty() && std::str::from_utf8(value).is_ok(),
        key => key != key::INVALID,
    };
    if fits { Ok(()) } else { Err(format!("expected {}", expected(key))) }
}

/// What the value of a key is.
pub(super) fn expected(key: u16) -> String {
    match key {
        key::MANDATORY => "mandatory to list keys, as in mandatory=alpn,port",
        key::ALPN => "alpn to list protocols of 1 to 255 octets, as in alpn=h2,h3",
        key::NO_DEFAULT_ALPN => "no-default-alpn to have no value",
        key::PORT => "port to be a number from 0 to 65535, as in port=8443",
        key::IPV4HINT => "ipv4hint to list IPv4 addresses, as in ipv4hint=192.0.2.1,192.0.2.2",
        key::ECH => "ech to be base64",
        key::IPV6HINT => "ipv6hint to list IPv6 addresses, as in ipv6hint=2001:db8::1",
        key::DOHPATH => "dohpath to be a URI template in UTF-8, as in dohpath=/dns-query{?dns}",
        key::OHTTP => "ohttp to have no value",
        key::INVALID => "a key other than 65535, which is reserved",
        _ => return format!("a value of {}", key_name(key)),
    }
    .to_owned()
}

fn check_mandatory(value: &[u8]) -> Result<(), String> {
    let (keys, []) = value.as_chunks::<2>() else { return Err(format!("expected {}", expected(key::MANDATORY))) };
    if keys.is_empty() {
        return Err(format!("expected {}", expected(key::MANDATORY)));
    }
    if keys.iter().any(|&key| key == key::MANDATORY.to_be_bytes()) {
        return Err("mandatory cannot list itself".to_owned());
    }
    if !keys.is_sorted_by(|left, right| left < right) {
        return Err("expected mandatory to list keys in ascending order, each once".to_owned());
    }
    Ok(())
}

fn is_alpn(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some((&length, after)) = rest.split_first() {
        match after.split_at_checked(usize::from(length)) {
            Some((_, after)) if length > 0 => rest = after,
            _ => return false,
        }
    }
    !value.is_empty()
}
