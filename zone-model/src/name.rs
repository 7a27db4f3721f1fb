//! Domain names: case kept, compared without it (RFC 1035 §2.3.3, RFC 4343).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The longest name in wire form, the root's zero octet included (RFC 1035 §2.3.4).
pub const NAME_LENGTH_MAX: usize = 255;
/// The longest label (RFC 1035 §2.3.4).
pub const LABEL_LENGTH_MAX: usize = 63;

/// An absolute domain name in uncompressed wire form, spelled as it was given.
///
/// Equality, hashing and order ignore the case of ASCII letters; order is the canonical one of
/// DNSSEC (RFC 4034 §6.1: by labels from the right), so that all names below a name follow it directly.
#[derive(Clone)]
pub struct Name {
    wire: Box<[u8]>,
}

/// Why bytes or text are not a domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No text at all; the root is written `.`.
    #[error("a name cannot be empty; the root is written `.`")]
    Empty,
    /// Two dots in a row, or one at the start.
    #[error("a label cannot be empty")]
    EmptyLabel,
    /// A label over 63 octets.
    #[error("a label is longer than {LABEL_LENGTH_MAX} octets")]
    LabelTooLong,
    /// A name over 255 octets.
    #[error("the name is longer than {NAME_LENGTH_MAX} octets")]
    TooLong,
    /// A backslash that no three digits (000 to 255) or character follow.
    #[error("a backslash must be followed by a character, or by three digits from 000 to 255")]
    BadEscape,
    /// A character that zone files cannot hold unescaped.
    #[error("the character {0:?} must be escaped")]
    BadCharacter(char),
    /// Wire form that ends too early, or goes on after its root label.
    #[error("the wire form is cut short, compressed or has bytes after its end")]
    BadWire,
    /// A relative name where an absolute one is needed.
    #[error("the name must be absolute, ending in a dot")]
    NotAbsolute,
}

impl Name {
    /// The root, `.`.
    #[must_use]
    pub fn root() -> Self {
        Self { wire: Box::new([0]) }
    }

    /// Takes uncompressed wire form, the root's zero octet included and nothing after it.
    ///
    /// # Errors
    /// [`NameError::BadWire`], [`NameError::TooLong`] or [`NameError::LabelTooLong`] (a compression pointer is one).
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameError> {
        let (name, rest) = Self::split_wire(wire)?;
        if rest.is_empty() { Ok(name) } else { Err(NameError::BadWire) }
    }

    /// Takes an uncompressed name from the front of `wire`; the second part is what follows it.
    ///
    /// # Errors
    /// As [`Name::from_wire`], except that bytes may follow.
    pub fn split_wire(wire: &[u8]) -> Result<(Self, &[u8]), NameError> {
        let mut at = 0;
        loop {
            let length = usize::from(*wire.get(at).ok_or(NameError::BadWire)?);
            if length > LABEL_LENGTH_MAX {
                return Err(NameError::LabelTooLong);
            }
            at += 1 + length;
            if at > NAME_LENGTH_MAX {
                return Err(NameError::TooLong);
            }
            if length == 0 {
                return Ok((Self { wire: wire[..at].into() }, &wire[at..]));
            }
        }
    }

    /// Joins labels, the leftmost first.
    ///
    /// # Errors
    /// [`NameError::EmptyLabel`], [`NameError::LabelTooLong`] or [`NameError::TooLong`].
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, NameError> {
        let mut wire = Vec::with_capacity(32);
        for label in labels {
            push_label(&mut wire, label)?;
        }
        Self::finish(wire)
    }

    /// Reads an absolute name in presentation form (RFC 1035 §5.1), the last dot included.
    ///
    /// # Errors
    /// What is wrong with the text; [`NameError::NotAbsolute`] without the last dot.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match parse_labels(text)? {
            (wire, true) => Self::finish(wire),
            (_, false) => Err(NameError::NotAbsolute),
        }
    }

    /// Reads a name that is absolute, or relative to `origin`; `@` is the origin itself.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse_relative(text: &str, origin: &Self) -> Result<Self, NameError> {
        if text == "@" {
            return Ok(origin.clone());
        }
        let (mut wire, absolute) = parse_labels(text)?;
        if absolute {
            return Self::finish(wire);
        }
        wire.extend_from_slice(&origin.wire);
        if wire.len() > NAME_LENGTH_MAX { Err(NameError::TooLong) } else { Ok(Self { wire: wire.into() }) }
    }

    fn finish(mut wire: Vec<u8>) -> Result<Self, NameError> {
        wire.push(0);
        if wire.len() > NAME_LENGTH_MAX { Err(NameError::TooLong) } else { Ok(Self { wire: wire.into() }) }
    }

    /// The uncompressed wire form, as spelled, the root's zero octet included.
    #[must_use]
    pub fn as_wire(&self) -> &[u8] {
        &self.wire
    }

    /// The labels from the left, without the root's empty one.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        Labels { rest: &self.wire }
    }

    /// How many labels there are, the root's not counted: 0 for the root.
    #[must_use]
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// Whether this is `.`.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.wire.len() == 1
    }

    /// Whether the leftmost label is a lone asterisk (RFC 4592 §2.1.1).
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.wire.starts_with(b"\x01*")
    }

    /// The name without its leftmost label; none above the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let length = usize::from(self.wire[0]);
        (length > 0).then(|| Self { wire: self.wire[1 + length..].into() })
    }

    /// This name with a label put before it.
    ///
    /// # Errors
    /// When the label or the whole becomes too long.
    pub fn child(&self, label: &[u8]) -> Result<Self, NameError> {
        let mut wire = Vec::with_capacity(1 + label.len() + self.wire.len());
        push_label(&mut wire, label)?;
        wire.extend_from_slice(&self.wire);
        if wire.len() > NAME_LENGTH_MAX { Err(NameError::TooLong) } else { Ok(Self { wire: wire.into() }) }
    }

    /// Whether this name is `ancestor` or below it.
    #[must_use]
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.relative_wire(ancestor).is_some()
    }

    /// The labels to the left of `ancestor`, in wire form without an end; none if this name is not within it.
    fn relative_wire(&self, ancestor: &Self) -> Option<&[u8]> {
        let mut rest: &[u8] = &self.wire;
        while rest.len() > ancestor.wire.len() {
            rest = &rest[1 + usize::from(rest[0])..];
        }
        rest.eq_ignore_ascii_case(&ancestor.wire).then(|| &self.wire[..self.wire.len() - rest.len()])
    }

    /// The same name in lower case, which is how names are keys.
    #[must_use]
    pub fn to_lowercase(&self) -> Self {
        // Length octets are at most 63, below every ASCII letter, so they pass unharmed.
        Self { wire: self.wire.to_ascii_lowercase().into() }
    }

    /// Whether both are spelled alike, case included.
    #[must_use]
    pub fn is_spelled_like(&self, other: &Self) -> bool {
        self.wire == other.wire
    }

    /// The text relative to `zone`, `@` for the zone's own name; none outside of it.
    #[must_use]
    pub fn relative_to(&self, zone: &Self) -> Option<String> {
        let relative = self.relative_wire(zone)?;
        if relative.is_empty() {
            return Some("@".to_owned());
        }
        let mut text = String::with_capacity(relative.len());
        for label in (Labels { rest: relative }) {
            if !text.is_empty() {
                text.push('.');
            }
            write_label(&mut text, label);
        }
        if text == "@" {
            text.insert(0, '\\');
        }
        Some(text)
    }
}

struct Labels<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.rest.split_first()?;
        if length == 0 {
            return None;
        }
        let (label, rest) = rest.split_at(usize::from(length));
        self.rest = rest;
        Some(label)
    }
}

fn push_label(wire: &mut Vec<u8>, label: &[u8]) -> Result<(), NameError> {
    match label.len() {
        0 => return Err(NameError::EmptyLabel),
        length if length > LABEL_LENGTH_MAX => return Err(NameError::LabelTooLong),
        length => wire.push(u8::try_from(length).map_err(|_| NameError::LabelTooLong)?),
    }
    wire.extend_from_slice(label);
    Ok(())
}

/// Labels in wire form without the root's, and whether the text ended in a dot.
fn parse_labels(text: &str) -> Result<(Vec<u8>, bool), NameError> {
    match text {
        "" => return Err(NameError::Empty),
        "." => return Ok((Vec::new(), true)),
        _ => {}
    }
    let mut wire = Vec::with_capacity(text.len() + 2);
    let mut label = Vec::with_capacity(LABEL_LENGTH_MAX);
    let mut bytes = text.bytes();
    let mut ended_in_dot = false;
    while let Some(byte) = bytes.next() {
        ended_in_dot = false;
        match byte {
            b'.' => {
                push_label(&mut wire, &label)?;
                label.clear();
                ended_in_dot = true;
            }
            b'\\' => label.push(parse_escape(&mut bytes)?),
            b'"' | b'(' | b')' | b';' | 0..=b' ' | 0x7f.. => return Err(NameError::BadCharacter(char_at(text, byte))),
            _ => label.push(byte),
        }
        if wire.len() + label.len() > NAME_LENGTH_MAX {
            return Err(if label.len() > LABEL_LENGTH_MAX { NameError::LabelTooLong } else { NameError::TooLong });
        }
    }
    if !ended_in_dot {
        push_label(&mut wire, &label)?;
    }
    Ok((wire, ended_in_dot))
}

fn char_at(text: &str, byte: u8) -> char {
    if byte.is_ascii() { char::from(byte) } else { text.chars().find(|c| !c.is_ascii()).unwrap_or('\u{fffd}') }
}

fn parse_escape(bytes: &mut std::str::Bytes<'_>) -> Result<u8, NameError> {
    let first = bytes.next().ok_or(NameError::BadEscape)?;
    if !first.is_ascii_digit() {
        return if first.is_ascii_graphic() || first == b' ' { Ok(first) } else { Err(NameError::BadEscape) };
    }
    let mut value = u32::from(first - b'0');
    for _ in 0..2 {
        let digit = bytes.next().filter(u8::is_ascii_digit).ok_or(NameError::BadEscape)?;
        value = value * 10 + u32::from(digit - b'0');
    }
    u8::try_from(value).map_err(|_| NameError::BadEscape)
}

fn write_label(text: &mut String, label: &[u8]) {
    for &byte in label {
        match byte {
            b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'$' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            // A lone `@` means the origin, so a label of just that is escaped by whoever writes relative names.
            b'!'..=b'~' => text.push(char::from(byte)),
            _ => {
                text.push('\\');
                for digit in [byte / 100, byte / 10 % 10, byte % 10] {
                    text.push(char::from(b'0' + digit));
                }
            }
        }
    }
}

/// Presentation form with the last dot; the spelling is kept.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        let mut text = String::with_capacity(self.wire.len());
        for label in self.labels() {
            write_label(&mut text, label);
            text.push('.');
        }
        f.write_str(&text)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.wire.eq_ignore_ascii_case(&other.wire)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in &self.wire {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, our_count) = label_starts(&self.wire);
        let (theirs, their_count) = label_starts(&other.wire);
        for depth in 1..=our_count.min(their_count) {
            let our_label = label_at(&self.wire, ours[our_count - depth]);
            let their_label = label_at(&other.wire, theirs[their_count - depth]);
            let order =
                our_label.iter().map(u8::to_ascii_lowercase).cmp(their_label.iter().map(u8::to_ascii_lowercase));
            if order != Ordering::Equal {
                return order;
            }
        }
        our_count.cmp(&their_count)
    }
}

/// Where each label starts, from the left. A name of 255 octets has at most 127 labels.
fn label_starts(wire: &[u8]) -> ([u8; 128], usize) {
    let (mut starts, mut count, mut at) = ([0_u8; 128], 0, 0);
    while wire[at] != 0 {
        starts[count] = u8::try_from(at).unwrap_or(u8::MAX);
        count += 1;
        at += 1 + usize::from(wire[at]);
    }
    (starts, count)
}

fn label_at(wire: &[u8], start: u8) -> &[u8] {
    let start = usize::from(start);
    &wire[start + 1..start + 1 + usize::from(wire[start])]
}

#[cfg(test)]
mod tests;
