//! Cuts zone-file text into words: quotes, escapes, parentheses and comments (RFC 1035 §5.1).

use super::error::{Place, RecordDataError};

/// The most octets of text in one entry, which is a record with its parentheses. The longest text of 65,535 octets of
/// data (a bitmap of all types) takes some 650,000, so every record fits.
pub(crate) const ENTRY_LENGTH_MAX: usize = 1 << 20;

/// How a word was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quotes {
    /// Without quotes.
    None,
    /// All of it in quotes, which are not part of its text.
    Around,
    /// `key="value"`: as RFC 9460 §2.1 has it; the quotes are not part of its text.
    AfterEqualSign,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    start: usize,
    end: usize,
    quotes: Quotes,
    place: Place,
}

/// One word, its escapes still in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a str,
    pub(crate) quotes: Quotes,
    pub(crate) place: Place,
}

/// The words of one entry: a record or directive, over several lines if it has parentheses.
///
/// A fault does not end it, so that its closing parenthesis is still found and the next entry starts where it should.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    text: String,
    tokens: Vec<Token>,
    open_parentheses: Vec<Place>,
    fault: Option<RecordDataError>,
    starts_blank: bool,
    refuses_comments: bool,
    end: Place,
}

impl Entry {
    /// The words of one record's data.
    pub(crate) fn of_record_data(text: &str) -> Result<Self, RecordDataError> {
        let place = Place { line: 1, column: 1 };
        let mut entry = Self { refuses_comments: true, end: place, ..Self::default() };
        if text.len() > ENTRY_LENGTH_MAX {
            let message = format!("the text is longer than {ENTRY_LENGTH_MAX} octets, which no record needs");
            return Err(RecordDataError::in_text(place, message));
        }
        let mut words_ended = false;
        for (number, line) in (1_u32..).zip(text.lines()) {
            let (known, place) = (entry.tokens.len(), Place { line: number, column: 1 });
            entry.push_line(line.as_bytes(), number);
            if words_ended && entry.tokens.len() > known {
                entry.set_fault(place, "one record is expected, on one line or with parentheses around its lines");
            }
            words_ended = !entry.tokens.is_empty() && !entry.is_open();
        }
        entry.end()?;
        Ok(entry)
    }

    /// Forgets all words, to start the next entry.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.tokens.clear();
        self.open_parentheses.clear();
        self.fault = None;
        self.starts_blank = false;
    }

    /// Whether a parenthesis is still open, so that the next line belongs to this entry.
    pub(crate) fn is_open(&self) -> bool {
        !self.open_parentheses.is_empty()
    }

    /// Whether there is nothing in it: no word, no fault, no open parenthesis.
    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.fault.is_none() && !self.is_open()
    }

    /// Whether its first line starts with white space, which stands for the owner before (RFC 1035 §5.1).
    pub(crate) fn starts_blank(&self) -> bool {
        self.starts_blank
    }

    /// How much it holds, to be kept below a limit.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + self.tokens.len() + self.open_parentheses.len()
    }

    /// The words are all there: whether they were well-formed and every parenthesis was closed.
    pub(crate) fn end(&mut self) -> Result<(), RecordDataError> {
        if let Some(&place) = self.open_parentheses.last() {
            self.set_fault(place, "the parenthesis `(` is never closed");
        }
        self.fault.take().map_or(Ok(()), Err)
    }

    pub(crate) fn words(&self) -> Words<'_> {
        Words { entry: self, at: 0 }
    }

    /// An entry of the words from `first` on, each with the text that `write` makes of it; quotes and places stay.
    pub(crate) fn rewritten<E>(
        &self,
        first: usize,
        mut write: impl FnMut(Word<'_>, &mut String) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut changed = Self { end: self.end, ..Self::default() };
        for word in self.words().skip(first) {
            let start = changed.text.len();
            write(word, &mut changed.text)?;
            let end = changed.text.len();
            changed.tokens.push(Token { start, end, quotes: word.quotes, place: word.place });
        }
        Ok(changed)
    }

    /// Keeps the first fault: what follows one is often its consequence.
    fn set_fault(&mut self, place: Place, message: impl Into<String>) {
        self.fault.get_or_insert_with(|| RecordDataError::in_text(place, message));
    }

    /// Adds the words of one line, which is given without its end.
    pub(crate) fn push_line(&mut self, line: &[u8], number: u32) {
        if self.is_empty() {
            self.starts_blank = matches!(line.first(), Some(b' ' | b'\t'));
        }
        let mut scan = Scan { line, at: 0, counted: 0, place: Place { line: number, column: 1 } };
        while let Some(byte) = scan.peek() {
            let place = scan.place();
            match byte {
                b' ' | b'\t' => scan.at += 1,
                b';' if self.refuses_comments => {
                    self.set_fault(place, "`;` would start a comment; put the string in quotes, or write `\\;`");
                    break;
                }
                b';' => break,
                b'(' => {
                    self.open_parentheses.push(place);
                    scan.at += 1;
                }
                b')' => {
                    if self.open_parentheses.pop().is_none() {
                        self.set_fault(place, "the parenthesis `)` was never opened");
                    }
                    scan.at += 1;
                }
                _ => self.push_word(&mut scan, place),
            }
        }
        scan.at = line.len();
        self.end = scan.place();
    }

    fn push_word(&mut self, scan: &mut Scan<'_>, place: Place) {
        let start = self.text.len();
        let bare = scan.bare();
        let quoted = match (scan.peek(), bare.last()) {
            (Some(b'"'), None | Some(b'=')) => Some(scan.quoted()),
            _ => None,
        };
        let quotes = match (&quoted, bare) {
            (None, _) => Quotes::None,
            (Some(_), []) => Quotes::Around,
            (Some(_), _) => Quotes::AfterEqualSign,
        };
        let (inside, closed) = quoted.unwrap_or((&[], true));
        if !closed {
            self.set_fault(place, "the quoted string is not closed on its line");
        }
        for part in [bare, inside] {
            match std::str::from_utf8(part) {
                Ok(part) => self.text.push_str(part),
                Err(_) => self.set_fault(place, "not UTF-8; other octets are written as `\\DDD`, in decimal"),
            }
        }
        let tab_allowed = quotes != Quotes::None;
        let is_bad = |&octet: &u8| octet.is_ascii_control() && !(tab_allowed && octet == b'\t');
        if bare.iter().chain(inside).any(is_bad) {
            self.set_fault(place, "a control character; it is written as `\\DDD`, in decimal");
        }
        if quotes == Quotes::None && scan.at == scan.line.len() && ends_in_open_escape(bare) {
            self.set_fault(place, "a backslash with nothing after it");
        }
        self.tokens.push(Token { start, end: self.text.len(), quotes, place });
    }
}

fn ends_in_open_escape(text: &[u8]) -> bool {
    text.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

struct Scan<'a> {
    line: &'a [u8],
    at: usize,
    counted: usize,
    place: Place,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// The place of what comes next. Counts characters from where it last counted, so that a line is counted once.
    fn place(&mut self) -> Place {
        let passed = self.line.get(self.counted..self.at).unwrap_or_default();
        let characters = passed.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        self.place.column = self.place.column.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX));
        self.counted = self.at;
        self.place
    }

    /// A word up to what ends one; empty before a quote.
    fn bare(&mut self) -> &'a [u8] {
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b';' | b'(' | b')' | b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.line.len());
        self.line.get(start..self.at).unwrap_or_default()
    }

    /// What is between this quote and the next, and whether there is a next.
    fn quoted(&mut self) -> (&'a [u8], bool) {
        let start = self.at + 1;
        self.at = start;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return (self.line.get(start..self.at - 1).unwrap_or_default(), true);
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.line.len());
        (self.line.get(start..).unwrap_or_default(), false)
    }
}

/// Goes through the words of an entry.
#[derive(Clone, Debug)]
pub(crate) struct Words<'a> {
    entry: &'a Entry,
    at: usize,
}

impl<'a> Words<'a> {
    pub(crate) fn peek(&self) -> Option<Word<'a>> {
        let token = self.entry.tokens.get(self.at)?;
        let text = self.entry.text.get(token.start..token.end).unwrap_or_default();
        Some(Word { text, quotes: token.quotes, place: token.place })
    }

    /// The place of the next word, or of the end.
    pub(crate) fn place(&self) -> Place {
        self.peek().map_or(self.entry.end, |word| word.place)
    }

    /// The next word, which has to be there.
    pub(crate) fn expect(&mut self, noun: &str) -> Result<Word<'a>, RecordDataError> {
        self.next().ok_or_else(|| self.fault(format!("expected {noun}, found the end")))
    }

    /// The next word, which has to be there without quotes.
    pub(crate) fn expect_bare(&mut self, noun: &str) -> Result<Word<'a>, RecordDataError> {
        let word = self.expect(noun)?;
        if word.quotes == Quotes::None { Ok(word) } else { Err(word.is_not(noun)) }
    }

    /// A fault at the next word, or at the end.
    pub(crate) fn fault(&self, message: impl Into<String>) -> RecordDataError {
        RecordDataError::in_text(self.place(), message)
    }

    /// That there are no more words.
    pub(crate) fn expect_end(&mut self) -> Result<(), RecordDataError> {
        self.next().map_or(Ok(()), |word| Err(word.is_not("the end of the record")))
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }
}

impl Word<'_> {
    /// The fault that something else was expected here.
    pub(crate) fn is_not(&self, noun: &str) -> RecordDataError {
        self.fault(format!("expected {noun}, found {self}"))
    }

    /// A fault at this word.
    pub(crate) fn fault(&self, message: impl Into<String>) -> RecordDataError {
        RecordDataError::in_text(self.place, message)
    }

    /// Whether it starts like `$ORIGIN`.
    pub(crate) fn is_directive(&self) -> bool {
        self.quotes == Quotes::None && self.text.starts_with('$')
    }

    /// Whether it is this in any case, without quotes.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.quotes == Quotes::None && self.text.eq_ignore_ascii_case(text)
    }
}

/// As written, cut after 40 characters.
impl std::fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self.text.char_indices().nth(40).and_then(|(end, _)| self.text.get(..end));
        let (text, dots) = shown.map_or((self.text, ""), |text| (text, "…"));
        match self.quotes {
            Quotes::None | Quotes::AfterEqualSign => write!(f, "`{text}{dots}`"),
            Quotes::Around => write!(f, "`\"{text}{dots}\"`"),
        }
    }
}
