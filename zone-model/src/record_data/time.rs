//! Times as dates (RFC 4034 §3.2), intervals with units (BIND's form, as in `1h30m`).

const DAY: u64 = 86_400;

/// Reads seconds, or parts with the units w, d, h, m, s; none if it is neither or does not fit 32 bits.
pub(crate) fn read_interval(text: &str) -> Option<u32> {
    let (mut sum, mut part, mut digits, mut units) = (0_u64, 0_u64, 0, 0);
    for byte in text.bytes() {
        let unit = match byte.to_ascii_lowercase() {
            digit @ b'0'..=b'9' => {
                // Both stay below 2^33 by the checks, so nothing overflows.
                part = part * 10 + u64::from(digit - b'0');
                digits += 1;
                if part > u64::from(u32::MAX) {
                    return None;
                }
                continue;
            }
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => DAY,
            b'w' => 7 * DAY,
            _ => return None,
        };
        sum += part * unit;
        if digits == 0 || sum > u64::from(u32::MAX) {
            return None;
        }
        (part, digits, units) = (0, 0, units + 1);
    }
    match (digits, units) {
        (0, 0) => None,
        (0, _) => u32::try_from(sum).ok(),
        (_, 0) => u32::try_from(part).ok(),
        // `1h30`: thirty of what?
        _ => None,
    }
}

/// Reads `YYYYMMDDHHmmSS`, from 1970 to 2106, or seconds since 1970 in at most ten digits.
pub(super) fn read_time(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if text.len() <= 10 {
        return text.parse().ok();
    }
    if text.len() != 14 {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    if year < 1970 || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if day < 1 || day > month_length(year, month) {
        return None;
    }
    let days = days_before_year(year) + (1..month).map(|month| month_length(year, month)).sum::<u64>() + day - 1;
    u32::try_from(days * DAY + hour * 3_600 + minute * 60 + second).ok()
}

/// Writes seconds since 1970 as `YYYYMMDDHHmmSS`.
pub(super) fn write_time(seconds: u32) -> String {
    let (mut days, seconds) = (u64::from(seconds) / DAY, u64::from(seconds) % DAY);
    let (mut year, mut month) = (1970 + days / 366, 1);
    while days_before_year(year + 1) <= days {
        year += 1;
    }
    days -= days_before_year(year);
    while month_length(year, month) <= days {
        days -= month_length(year, month);
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{:02}{hour:02}{minute:02}{second:02}", days + 1)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from the start of 1970 to the start of `year`, which is 1970 or later.
const fn days_before_year(year: u64) -> u64 {
    let whole = year - 1;
    let leap_days = whole / 4 - whole / 100 + whole / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    (year - 1970) * 365 + leap_days
}

const fn month_length(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + is_leap(year) as u64,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
