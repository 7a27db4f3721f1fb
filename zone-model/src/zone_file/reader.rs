//! Reads entries one after the other, from text that comes in pieces.

use super::{Limits, ZoneFileFault, ZoneFileRecord, generate};
use crate::record_data::token::{ENTRY_LENGTH_MAX, Entry, Word, Words};
use crate::record_data::{self, Place, RecordDataError, Soa};
use crate::{Name, RecordData, RecordType, TTL_MAX};

type Read<T> = Result<T, RecordDataError>;
type Sink<'a> = &'a mut dyn FnMut(ZoneFileRecord);

/// Reads a zone file that comes in pieces, cut anywhere. See [`read`](super::read) for what it does with them.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    /// A line whose end has not come yet.
    partial: Vec<u8>,
    /// The rest of a line that is too long is thrown away.
    skips_line: bool,
    line: u32,
    entry: Entry,
    origin: Name,
    owner: Option<Name>,
    default_ttl: Option<u32>,
    last_ttl: Option<u32>,
    soa_minimum: Option<u32>,
    first_soa: Option<ZoneFileRecord>,
    /// A SOA equal to the first, which is dropped if nothing follows it.
    held_soa: Option<ZoneFileRecord>,
    records: usize,
    octets: usize,
    faults: Vec<ZoneFileFault>,
    is_stopped: bool,
}

impl Reader {
    /// Starts at line 1; relative names are below `origin` until an `$ORIGIN`.
    #[must_use]
    pub fn new(origin: &Name, limits: Limits) -> Self {
        Self {
            limits,
            partial: Vec::new(),
            skips_line: false,
            line: 1,
            entry: Entry::default(),
            origin: origin.clone(),
            owner: None,
            default_ttl: None,
            last_ttl: None,
            soa_minimum: None,
            first_soa: None,
            held_soa: None,
            records: 0,
            octets: 0,
            faults: Vec::new(),
            is_stopped: false,
        }
    }

    /// Whether a limit was met, so that further pieces are not looked at.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Takes the next piece of text; `sink` gets the records that are complete.
    pub fn push(&mut self, chunk: &[u8], sink: &mut dyn FnMut(ZoneFileRecord)) {
        let mut rest = chunk;
        while !self.is_stopped {
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
                self.keep(rest);
                return;
            };
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.partial.is_empty() && !self.skips_line {
                self.take_line(line, sink);
            } else {
                self.keep(line);
                let line = std::mem::take(&mut self.partial);
                self.take_line(&line, sink);
                // Given back for its room.
                self.partial = line;
                self.partial.clear();
            }
            self.skips_line = false;
            self.line = self.line.saturating_add(1);
        }
    }

    /// The text is at its end.
    ///
    /// # Errors
    /// All faults in the order of the text. Then what was given to the sinks is not the zone.
    pub fn finish(mut self, sink: &mut dyn FnMut(ZoneFileRecord)) -> Result<(), Vec<ZoneFileFault>> {
        if !self.partial.is_empty() && !self.is_stopped {
            let line = std::mem::take(&mut self.partial);
            self.take_line(&line, sink);
        }
        if !self.entry.is_empty() && !self.is_stopped {
            self.take_entry(sink);
        }
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults) }
    }

    /// Ends reading with a fault at the line reached.
    pub(super) fn fail(&mut self, message: &str) {
        self.add_fault(RecordDataError::in_text(Place { line: self.line, column: 1 }, message));
        self.is_stopped = true;
    }

    fn keep(&mut self, part: &[u8]) {
        if self.skips_line {
            return;
        }
        if self.partial.len() + part.len() > ENTRY_LENGTH_MAX {
            self.partial.clear();
            self.skips_line = true;
            let message = format!("the line is longer than {ENTRY_LENGTH_MAX} octets");
            self.add_fault(RecordDataError::in_text(Place { line: self.line, column: 1 }, message));
            return;
        }
        self.partial.extend_from_slice(part);
    }

    fn take_line(&mut self, line: &[u8], sink: Sink<'_>) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // A byte order mark, as some editors put in front.
        let line = if self.line == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        self.entry.push_line(line, self.line);
        let is_too_long = self.entry.size() > ENTRY_LENGTH_MAX;
        if is_too_long {
            self.add_fault(self.entry.words().fault(format!("the entry is longer than {ENTRY_LENGTH_MAX} octets")));
            self.entry.clear();
        } else if !self.entry.is_open() && !self.entry.is_empty() {
            self.take_entry(sink);
        }
    }

    fn take_entry(&mut self, sink: Sink<'_>) {
        let mut entry = std::mem::take(&mut self.entry);
        if let Err(fault) = entry.end().and_then(|()| self.read_entry(&entry, sink)) {
            self.add_fault(fault);
        }
        // Given back for its room.
        entry.clear();
        self.entry = entry;
    }

    fn add_fault(&mut self, fault: RecordDataError) {
        if self.is_stopped {
            return;
        }
        let mut fault = ZoneFileFault::from(fault);
        if self.faults.len() >= self.limits.faults {
            fault.message = format!("and more: only the first {} faults are told", self.limits.faults);
            self.is_stopped = true;
        }
        self.faults.push(fault);
    }

    fn read_entry(&mut self, entry: &Entry, sink: Sink<'_>) -> Read<()> {
        let mut words = entry.words();
        let Some(first) = words.peek().filter(Word::is_directive) else {
            return self.read_record(entry, sink);
        };
        words.next();
        if first.is("$ORIGIN") {
            let origin = self.name(words.expect_bare("a domain name")?)?;
            words.expect_end()?;
            self.origin = origin;
            Ok(())
        } else if first.is("$TTL") {
            let default_ttl = ttl(words.expect_bare(TTL)?)?;
            words.expect_end()?;
            self.default_ttl = Some(default_ttl);
            Ok(())
        } else if first.is("$GENERATE") {
            for record in generate::entries(entry)? {
                self.read_record(&record?, sink)?;
                if self.is_stopped {
                    break;
                }
            }
            Ok(())
        } else if first.is("$INCLUDE") {
            Err(first.fault("$INCLUDE is refused: put the other file's text here"))
        } else {
            Err(first.is_not("$ORIGIN, $TTL or $GENERATE (a name that starts so is written `\\$`)"))
        }
    }

    fn name(&self, word: Word<'_>) -> Read<Name> {
        Name::parse_relative(word.text, &self.origin)
            .map_err(|error| word.fault(format!("expected a domain name, found {word}: {error}")))
    }

    /// `[owner] [ttl] [class] type data`, time and class in any order (RFC 1035 §5.1).
    fn read_record(&mut self, entry: &Entry, sink: Sink<'_>) -> Read<()> {
        let mut words = entry.words();
        let start = words.place();
        if !entry.starts_blank() {
            let word = words.expect_bare("a domain name")?;
            self.owner = Some(self.name(word)?);
        }
        let Some(owner) = self.owner.clone() else {
            return Err(
                words.fault("a line that starts with a blank has the owner of the record before, and there is none")
            );
        };
        let (rtype, given_ttl) = read_type(&mut words)?;
        let data = record_data::read(rtype, &mut words, &self.origin)?;
        let ttl = self.ttl(start, rtype, given_ttl, &data)?;
        self.deliver(start, ZoneFileRecord { line: start.line, owner, ttl, rtype, data }, sink)
    }

    fn ttl(&mut self, start: Place, rtype: RecordType, given: Option<u32>, data: &RecordData) -> Read<u32> {
        if rtype == RecordType::SOA && self.soa_minimum.is_none() {
            self.soa_minimum = Soa::from_data(data).ok().map(|soa| soa.minimum.min(TTL_MAX));
        }
        self.last_ttl = given.or(self.last_ttl);
        given.or(self.default_ttl).or(self.last_ttl).or(self.soa_minimum).ok_or_else(|| {
            let message = "the record has no TTL, and neither $TTL nor a record before gives one";
            RecordDataError::in_text(start, message)
        })
    }

    fn deliver(&mut self, start: Place, record: ZoneFileRecord, sink: Sink<'_>) -> Read<()> {
        self.records = self.records.saturating_add(1);
        self.octets = self.octets.saturating_add(record.owner.as_wire().len() + record.data.as_wire().len());
        let Limits { records, octets, .. } = self.limits;
        if self.records > records || self.octets > octets {
            let message = format!("more than {records} records or {octets} octets, which is the limit");
            self.add_fault(RecordDataError::in_text(start, message));
            self.is_stopped = true;
            return Ok(());
        }
        if let Some(held) = self.held_soa.take() {
            sink(held);
        }
        if record.rtype == RecordType::SOA {
            match &self.first_soa {
                None => self.first_soa = Some(record.clone()),
                Some(first) if is_same(first, &record) => {
                    self.held_soa = Some(record);
                    return Ok(());
                }
                Some(_) => {}
            }
        }
        sink(record);
        Ok(())
    }
}

fn is_same(left: &ZoneFileRecord, right: &ZoneFileRecord) -> bool {
    let key = |record: &ZoneFileRecord| (record.owner.to_lowercase(), record.ttl, record.rtype);
    key(left) == key(right) && left.data.canonical(left.rtype) == right.data.canonical(right.rtype)
}

const TTL: &str = "a TTL in seconds, as in 5400 or 1h30m, of at most 2147483647";

fn ttl(word: Word<'_>) -> Read<u32> {
    record_data::read_interval(word.text).filter(|&ttl| ttl <= TTL_MAX).ok_or_else(|| word.is_not(TTL))
}

/// The type, and the TTL if one stands before it.
fn read_type(words: &mut Words<'_>) -> Read<(RecordType, Option<u32>)> {
    let (mut given_ttl, mut has_class) = (None, false);
    loop {
        let word = words.expect_bare("a record type")?;
        let is_class = ["IN", "CH", "HS", "CS"].iter().any(|class| word.is(class)) || is_numbered_class(word.text);
        if is_class && !has_class {
            if !word.is("IN") && !word.is("CLASS1") {
                return Err(word.is_not("class IN, the only one there is here"));
            }
            has_class = true;
        } else if given_ttl.is_none() && word.text.starts_with(|first: char| first.is_ascii_digit()) {
            given_ttl = Some(ttl(word)?);
        } else {
            let rtype: RecordType =
                word.text.parse().map_err(|_| word.is_not("a record type, as in AAAA or TYPE65280"))?;
            if !rtype.is_data() {
                return Err(word.fault(format!("{rtype} is no type for records in a zone")));
            }
            return Ok((rtype, given_ttl));
        }
    }
}

/// `CLASS254` (RFC 3597 §5).
fn is_numbered_class(text: &str) -> bool {
    let digits = text.get(..5).filter(|start| start.eq_ignore_ascii_case("CLASS")).and_then(|_| text.get(5..));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
