//! Where somebody is in the stream of events.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// The most numbers that a look's list may have: as many transactions can be under way at once, and many more.
const LIST_LENGTH_MAX: usize = 10_000;

/// What Postgres saw at a moment: which transactions were finished (`pg_snapshot`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seen(String);

impl Seen {
    /// Nothing at all: everything is still to come.
    #[must_use]
    pub fn nothing() -> Self {
        Self("1:1:".to_owned())
    }

    /// As Postgres writes it: `xmin:xmax:xip,…`, with xmin ≤ xip < xmax, rising.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (least, rest) = text.split_once(':')?;
        let (end, list) = rest.split_once(':')?;
        let (least, end) = (number(least)?, number(end)?);
        let listed =
            if list.is_empty() { Vec::new() } else { list.split(',').map(number).collect::<Option<Vec<_>>>()? };
        let rises = listed.is_sorted_by(|one, next| one < next);
        let within = listed.iter().all(|one| (least..end).contains(one));
        (least <= end && rises && within && listed.len() <= LIST_LENGTH_MAX).then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first transaction of which nothing was known yet.
    pub(super) fn end(&self) -> u64 {
        self.0.split(':').nth(1).and_then(number).unwrap_or(0)
    }
}

/// A transaction's number: from 1, in 63 bits, as Postgres writes it.
fn number(text: &str) -> Option<u64> {
    let digits =
        (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|number| digits && i64::try_from(*number).is_ok())
}

impl TryFrom<String> for Seen {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("no snapshot")
    }
}

impl From<Seen> for String {
    fn from(seen: Seen) -> Self {
        seen.0
    }
}

/// The last event that somebody was told: the place in a pass after it. In this order they are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum After {
    /// Transaction and number.
    Act(u64, i64),
    /// Group and generation.
    Admitted(i64, i64),
    /// Transaction, group, generation, and whether it passed.
    Verdict(u64, i64, i64, bool),
    /// Group, ring and generation.
    Moved(i64, String, i64),
}

/// A pass: from one look to a later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pass {
    pub(super) upto: Seen,
    pub(super) after: After,
}

/// Where somebody is: all that `seen` shows was told, and of what came since, up to another look, a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Of which line of which database: after a restore, numbers of transactions mean something else.
    pub(super) line: String,
    pub(super) seen: Seen,
    pub(super) pass: Option<Pass>,
}

impl Position {
    /// Everything that was seen was told.
    #[must_use]
    pub(super) fn at(line: String, seen: Seen) -> Self {
        Self { line, seen, pass: None }
    }

    /// Where the pass ends that this is in, if it is in one.
    #[must_use]
    pub fn end(&self) -> Self {
        let seen = self.pass.as_ref().map_or(&self.seen, |pass| &pass.upto);
        Self::at(self.line.clone(), seen.clone())
    }

    /// As the id of an event: one word.
    #[must_use]
    pub fn to_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads an event's id back.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let position: Self = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        let after = position.pass.as_ref().map(|pass| &pass.after);
        let sound = match after {
            Some(After::Moved(_, ring, _)) => !ring.contains('\0'),
            Some(After::Act(xact, _) | After::Verdict(xact, ..)) => i64::try_from(*xact).is_ok(),
            Some(After::Admitted(..)) | None => true,
        };
        (sound && position.line.len() <= 100).then_some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_read_as_postgres_writes_them_and_not_otherwise() {
        for good in ["1:1:", "745:745:", "745:750:745,747,749", "3:9223372036854775807:"] {
            assert_eq!(Seen::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "1",
            "1:1",
            "2:1:",
            "1:5:7",
            "1:5:3,2",
            "1:5:2,2",
            "0:1:",
            "1:5:2,",
            "1:x:",
            "1:5:2:3",
            "1:9223372036854775808:",
            "+1:2:",
        ] {
            assert_eq!(Seen::parse(bad), None, "{bad}");
        }
        assert_eq!(Seen::parse("745:750:745").unwrap().end(), 750);
    }

    #[test]
    fn a_position_is_read_back() {
        let seen = |text| Seen::parse(text).unwrap();
        for after in [
            After::Act(7, 1),
            After::Admitted(3, 9),
            After::Verdict(7, 3, 9, false),
            After::Moved(3, "fleet".to_owned(), 9),
        ] {
            let position =
                Position { line: "x".to_owned(), seen: seen("5:7:5"), pass: Some(Pass { upto: seen("9:9:"), after }) };
            assert_eq!(Position::parse(&position.to_id()), Some(position));
        }
        let at = Position::at("x".to_owned(), Seen::nothing());
        assert_eq!(Position::parse(&at.to_id()), Some(at));
        for bad in ["", "%", "e30", &URL_SAFE_NO_PAD.encode(r#"{"line":"x","seen":"5:1:","pass":null}"#)] {
            assert_eq!(Position::parse(bad), None, "{bad}");
        }
    }
}
