//! Base 32 with extended hex alphabet, without padding (RFC 4648 §7, as RFC 5155 §3.3 writes hashes).

const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";

/// Appends `octets` as digits.
pub(super) fn write(octets: &[u8], text: &mut String) {
    let (mut bits, mut held) = (0_u32, 0_u32);
    for &octet in octets {
        bits = bits << 8 | u32::from(octet);
        held += 8;
        while held >= 5 {
            held -= 5;
            push_digit(bits >> held, text);
        }
    }
    if held > 0 {
        push_digit(bits << (5 - held), text);
    }
}

fn push_digit(value: u32, text: &mut String) {
    text.push(DIGITS.get((value & 31) as usize).map_or('0', |&digit| char::from(digit)));
}

/// Reads digits of either case; none if one is not a digit, or if bits are left over that are not 0 or a whole digit.
pub(super) fn read(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for digit in text.bytes() {
        let value = match digit.to_ascii_uppercase() {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'A'..=b'V' => digit - b'A' + 10,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            octets.push((bits >> held & 0xff) as u8);
        }
    }
    (held < 5 && bits & ((1 << held) - 1) == 0).then_some(octets)
}
