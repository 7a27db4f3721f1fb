//! LOC: a place on Earth (RFC 1876).

use super::error::RecordDataError;
use super::token::{Word, Words};
use super::wire::{Wrong, octets};
use std::fmt::Write;

/// The octets of a LOC record (RFC 1876 §2).
pub(super) const LENGTH: usize = 16;

/// Thousandths of a second of arc; the equator and the prime meridian are at 2^31.
const MIDDLE: u32 = 1 << 31;
const DEGREE: u32 = 3_600_000;
/// Centimetres below the ellipsoid at which altitudes start.
const ALTITUDE_BASE: i64 = 10_000_000;
/// What stands for a size and two precisions left out: 1 m, 10 km, 10 m (RFC 1876 §3).
const DEFAULTS: [u8; 3] = [0x12, 0x16, 0x13];

/// Whether the 16 octets in front are version 0 with sizes and degrees in range.
pub(super) fn check(wire: &[u8]) -> Result<(), Wrong> {
    let Some([version, sizes @ .., la0, la1, la2, la3, lo0, lo1, lo2, lo3, _, _, _, _]) = wire.first_chunk::<LENGTH>()
    else {
        return Err((0, format!("expected a location ({LENGTH} octets), found {}", octets(wire.len()))));
    };
    if *version != 0 {
        return Err((0, format!("expected a location of version 0, found version {version}")));
    }
    if let Some(at) = sizes.iter().position(|size| size >> 4 > 9 || size & 15 > 9) {
        return Err((1 + at, "expected a size or precision of two decimal digits".to_owned()));
    }
    let [latitude, longitude] = [[*la0, *la1, *la2, *la3], [*lo0, *lo1, *lo2, *lo3]].map(u32::from_be_bytes);
    if latitude.abs_diff(MIDDLE) > 90 * DEGREE {
        return Err((4, "expected a latitude of at most 90 degrees".to_owned()));
    }
    if longitude.abs_diff(MIDDLE) > 180 * DEGREE {
        return Err((8, "expected a longitude of at most 180 degrees".to_owned()));
    }
    Ok(())
}

/// Reads `d1 [m1 [s1]] {N|S} d2 [m2 [s2]] {E|W} alt[m] [size[m] [horizontal[m] [vertical[m]]]]` (RFC 1876 §3).
pub(super) fn read(words: &mut Words<'_>, wire: &mut Vec<u8>) -> Result<(), RecordDataError> {
    let latitude = read_angle(words, 90, ["N", "S"])?;
    let longitude = read_angle(words, 180, ["E", "W"])?;
    let noun = "an altitude in metres from -100000.00 to 42849672.95";
    let word = words.expect_bare(noun)?;
    let altitude = metres(word.text).and_then(|metres| u32::try_from(metres + ALTITUDE_BASE).ok());
    let altitude = altitude.ok_or_else(|| word.is_not(noun))?;
    let mut sizes = DEFAULTS;
    for size in &mut sizes {
        if let Some(word) = words.next() {
            *size = metres(word.text)
                .and_then(pack_size)
                .ok_or_else(|| word.is_not("a size or precision in metres from 0.00 to 90000000.00"))?;
        }
    }
    wire.push(0);
    wire.extend(sizes);
    for number in [latitude, longitude, altitude] {
        wire.extend(number.to_be_bytes());
    }
    Ok(())
}

fn read_angle(words: &mut Words<'_>, degrees_max: u32, [plus, minus]: [&str; 2]) -> Result<u32, RecordDataError> {
    let noun = format!("degrees from 0 to {degrees_max}, then minutes and seconds, then {plus} or {minus}");
    let first = words.expect_bare(&noun)?;
    let whole = |word: Word<'_>| thousandths(word.text).filter(|it| it % 1_000 == 0).map(|it| it / 1_000);
    let mut angle = whole(first).filter(|&it| it <= degrees_max).ok_or_else(|| first.is_not(&noun))? * DEGREE;
    let mut word = words.expect_bare(&noun)?;
    for unit in [60_000, 1_000] {
        if word.is(plus) || word.is(minus) {
            break;
        }
        let part = thousandths(word.text).filter(|&part| part < 60_000 && (unit == 1_000 || part % 1_000 == 0));
        angle += part.ok_or_else(|| word.is_not(&noun))? * (unit / 1_000);
        word = words.expect_bare(&noun)?;
    }
    if angle > degrees_max * DEGREE {
        return Err(first.is_not(&noun));
    }
    match () {
        () if word.is(plus) => Ok(MIDDLE + angle),
        () if word.is(minus) => Ok(MIDDLE - angle),
        () => Err(word.is_not(&format!("{plus} or {minus}"))),
    }
}

/// A number with up to three decimals, in thousandths; bounded so that nothing later overflows.
fn thousandths(text: &str) -> Option<u32> {
    u32::try_from(fixed(text, 3)?).ok().filter(|&number| number <= 1_000_000)
}

/// Metres with up to two decimals and perhaps an `m` behind, in centimetres.
fn metres(text: &str) -> Option<i64> {
    let text = text.strip_suffix(['m', 'M']).unwrap_or(text);
    match text.strip_prefix('-') {
        Some(text) => fixed(text, 2).map(|number| -number),
        None => fixed(text, 2),
    }
}

/// A number with up to so many decimals, as a whole number of the last of them.
fn fixed(text: &str, decimals: usize) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 10 || part.len() > decimals || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    format!("{whole}{part:0<decimals$}").parse().ok()
}

/// Centimetres as one digit and a power of ten. Further digits are dropped, as the code of RFC 1876 does.
fn pack_size(centimetres: i64) -> Option<u8> {
    let (mut digit, mut power) = (u64::try_from(centimetres).ok()?, 0_u8);
    while digit > 9 {
        (digit, power) = (digit / 10, power + 1);
    }
    (power <= 9).then(|| u8::try_from(digit).ok().map(|digit| digit << 4 | power))?
}

/// Writes all fields, with all decimals; none where text cannot say it (0 times a power of ten).
pub(super) fn write(wire: &[u8], text: &mut String) -> Option<()> {
    let [_, size, horizontal, vertical, numbers @ ..] = wire.first_chunk::<LENGTH>()?;
    let ([latitude, longitude, altitude], []) = numbers.as_chunks::<4>() else { return None };
    let [latitude, longitude, altitude] = [*latitude, *longitude, *altitude].map(u32::from_be_bytes);
    write_angle(latitude, ['N', 'S'], text)?;
    write_angle(longitude, ['E', 'W'], text)?;
    let altitude = i64::from(altitude) - ALTITUDE_BASE;
    let sign = if altitude < 0 { "-" } else { "" };
    write!(text, "{sign}{}.{:02}m", altitude.abs() / 100, altitude.abs() % 100).ok()?;
    for packed in [size, horizontal, vertical] {
        let (digit, power) = (packed >> 4, packed & 15);
        if digit == 0 && power > 0 {
            return None;
        }
        let centimetres = u64::from(digit) * 10_u64.checked_pow(u32::from(power))?;
        write!(text, " {}.{:02}m", centimetres / 100, centimetres % 100).ok()?;
    }
    Some(())
}

fn write_angle(packed: u32, [plus, minus]: [char; 2], text: &mut String) -> Option<()> {
    let (angle, side) = (packed.abs_diff(MIDDLE), if packed >= MIDDLE { plus } else { minus });
    let (degrees, minutes) = (angle / DEGREE, angle % DEGREE / 60_000);
    let (seconds, thousandths) = (angle % 60_000 / 1_000, angle % 1_000);
    write!(text, "{degrees} {minutes} {seconds}.{thousandths:03} {side} ").ok()
}
