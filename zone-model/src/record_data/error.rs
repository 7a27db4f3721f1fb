//! What is wrong with record data, in words, and where.

use std::fmt;

/// What is wrong with record data, in words for whoever wrote it: what is expected, what stands there, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordDataError {
    spot: Spot,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spot {
    Text(Place),
    Octet(usize),
}

/// A place in text; lines and columns (of characters) count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl RecordDataError {
    pub(crate) fn in_text(place: Place, message: impl Into<String>) -> Self {
        Self { spot: Spot::Text(place), message: message.into() }
    }

    /// `octet` counts from 0 here.
    pub(crate) fn in_wire(octet: usize, message: impl Into<String>) -> Self {
        Self { spot: Spot::Octet(octet), message: message.into() }
    }

    /// The same fault, told of the text that stands for the wire form.
    pub(crate) fn moved_to(self, place: Place) -> Self {
        Self { spot: Spot::Text(place), message: self.message }
    }

    pub(crate) fn place(&self) -> Option<Place> {
        match self.spot {
            Spot::Text(place) => Some(place),
            Spot::Octet(_) => None,
        }
    }

    pub(crate) fn into_message(self) -> String {
        self.message
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line in the text, from 1; none if wire form is at fault. Only text with parentheses has more than one.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.place().map(|place| place.line)
    }

    /// The column in the text, in characters from 1; none if wire form is at fault.
    #[must_use]
    pub fn column(&self) -> Option<u32> {
        self.place().map(|place| place.column)
    }
}

impl fmt::Display for RecordDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.spot {
            Spot::Text(Place { line: 0 | 1, column }) => write!(f, "record data, column {column}: ")?,
            Spot::Text(Place { line, column }) => write!(f, "record data, line {line}, column {column}: ")?,
            Spot::Octet(octet) => write!(f, "record data, octet {}: ", octet.saturating_add(1))?,
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for RecordDataError {}
