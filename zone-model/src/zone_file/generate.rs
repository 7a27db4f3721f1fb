//! `$GENERATE start-stop[/step] owner [ttl] [class] type data`: one record for each number, as BIND has it.

use crate::record_data::RecordDataError;
use crate::record_data::token::{Entry, Word};

type Read<T> = Result<T, RecordDataError>;

/// The most records of one directive.
const RECORDS_MAX: u64 = 65_536;
/// The most text of one directive, which is copied for each record.
const TEMPLATE_LENGTH_MAX: usize = 4_096;
/// The most characters that `${…}` may be filled up to; a label has 63, a name of nibbles some 128.
const WIDTH_MAX: usize = 255;

/// The entries that the directive stands for.
pub(super) fn entries(entry: &Entry) -> Read<impl Iterator<Item = Read<Entry>>> {
    let mut words = entry.words();
    words.next();
    let word = words.expect_bare("a range, as in 1-10 or 0-100/2")?;
    let (start, stop, step) = range(word.text).ok_or_else(|| word.is_not("a range, as in 1-10 or 0-100/2"))?;
    if (stop - start) / step >= RECORDS_MAX {
        return Err(word.fault(format!("the range {word} has more than {RECORDS_MAX} numbers")));
    }
    words.expect_bare("the owner name of the records")?;
    if entry.size() > TEMPLATE_LENGTH_MAX {
        return Err(word.fault(format!("a $GENERATE of more than {TEMPLATE_LENGTH_MAX} octets")));
    }
    let steps = (stop - start) / step;
    // The directive and its range are no part of the record.
    Ok((0..=steps).map(move |count| entry.rewritten(2, |word, text| fill(word, start + count * step, text))))
}

/// `start-stop[/step]`, each of at most nine digits.
fn range(text: &str) -> Option<(u64, u64, u64)> {
    let (bounds, step) = text.split_once('/').unwrap_or((text, "1"));
    let (start, stop) = bounds.split_once('-')?;
    let (start, stop, step) = (number(start)?, number(stop)?, number(step)?);
    (start <= stop && step > 0).then_some((start, stop, step))
}

fn number(text: &str) -> Option<u64> {
    let is_digits = text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok())?
}

/// Writes the word with the number in place of `$` and `${offset,width,base}`. `\$` stays, and `$$` becomes it.
fn fill(word: Word<'_>, number: u64, text: &mut String) -> Read<()> {
    let mut rest = word.text;
    while let Some(at) = rest.find(['$', '\\']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let mut characters = from.chars();
        if characters.next() == Some('\\') {
            text.push('\\');
            text.extend(characters.next());
            rest = characters.as_str();
            continue;
        }
        let after = characters.as_str();
        if let Some(after) = after.strip_prefix('$') {
            text.push_str("\\$");
            rest = after;
        } else if let Some(inside) = after.strip_prefix('{') {
            let filled = inside.split_once('}').and_then(|(modifier, after)| Some((modify(modifier, number)?, after)));
            let (value, after) = filled.ok_or_else(|| {
                word.fault(format!(
                    "expected ${{offset,width,base}}, a base of d, o, x, X, n or N, and no number below 0, found {word}"
                ))
            })?;
            text.push_str(&value);
            rest = after;
        } else {
            text.push_str(&number.to_string());
            rest = after;
        }
    }
    text.push_str(rest);
    Ok(())
}

/// The number by `offset[,width[,base]]`; none if that is misshapen or the number becomes negative.
fn modify(modifier: &str, start: u64) -> Option<String> {
    let mut parts = modifier.split(',');
    let offset = parts.next()?;
    let width = parts.next().map_or(Some(0), |width| number(width).and_then(|width| usize::try_from(width).ok()))?;
    let base = parts.next().unwrap_or("d");
    if parts.next().is_some() || width > WIDTH_MAX {
        return None;
    }
    let value = match offset.strip_prefix('-') {
        Some(offset) => start.checked_sub(number(offset)?)?,
        None => start.checked_add(number(offset)?)?,
    };
    Some(match base {
        "d" => format!("{value:0width$}"),
        "o" => format!("{value:0width$o}"),
        "x" => format!("{value:0width$x}"),
        "X" => format!("{value:0width$X}"),
        "n" => nibbles(&format!("{value:x}"), width),
        "N" => nibbles(&format!("{value:X}"), width),
        _ => return None,
    })
}

/// The digits from the last to the first with dots between them, as reverse names have them; the width counts the dots.
fn nibbles(digits: &str, width: usize) -> String {
    let mut text = String::new();
    let mut digits = digits.chars().rev();
    let mut next = digits.next();
    loop {
        text.push(next.unwrap_or('0'));
        next = digits.next();
        if next.is_none() && text.len() >= width {
            return text;
        }
        text.push('.');
        if next.is_none() && text.len() >= width {
            return text;
        }
    }
}
