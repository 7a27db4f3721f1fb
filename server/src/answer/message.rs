//! Writes answers: the question as the client spelled it, names compressed, record sets whole or not at all. Into memory that
//! is given, and no further.

use super::options::{ExtendedError, Told};
use super::request::{CLASS_CHAOS, CLASS_IN, Edns, HEADER_LENGTH, Header};
use super::{EDNS_PAYLOAD_SIZE, Rcode};
use crate::snapshot::{EncodedSet, RECORD_HEAD_LENGTH};
use zone_model::{EmbeddedName, RecordType};

/// Where the question's name stands in every message.
const QUESTION_AT: u16 = 12;
/// Pointers have 14 bits (RFC 1035 §4.1.4).
const POINTER_END: usize = 0x4000;
/// How many places are kept to point at. More would make a large answer slow for little: most names share the first few.
const TARGETS_MAX: usize = 128;
/// An OPT record without options.
const OPT_LENGTH: usize = 11;
/// Where the counts of the three sections stand in the header.
const COUNTS_AT: usize = 6;

/// A section of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Answer,
    Authority,
    Additional,
}

/// Whose a record set is said to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner<'n> {
    /// The name in the question.
    Question,
    /// This name.
    Name(&'n [u8]),
}

/// A question as octets: the name as the client spelled it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'q> {
    pub(super) name: &'q [u8],
    pub(super) rtype: RecordType,
    pub(super) class: u16,
}

/// Places where a name starts that a later one can end in, in the order of writing.
#[derive(Debug)]
pub(super) struct Targets {
    places: [u16; TARGETS_MAX],
    count: usize,
}

impl Default for Targets {
    fn default() -> Self {
        Self { places: [0; TARGETS_MAX], count: 0 }
    }
}

/// A message being written.
pub(super) struct Writer<'o> {
    out: &'o mut [u8],
    at: usize,
    limit: usize,
    counts: [u16; 3],
    targets: &'o mut Targets,
    /// Where the question's name ends; where it would begin if there is none.
    name_end: usize,
    question_end: usize,
    edns: Option<Edns>,
    /// What the OPT record tells beside itself.
    told: &'o Told<'o>,
    /// The room that is kept for it.
    kept: usize,
    /// Whether nothing is missing that is needed.
    is_whole: bool,
}

/// What an answer's header says beside what it copies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags {
    pub(super) rcode: Rcode,
    pub(super) authoritative: bool,
    /// Why there is an error, if that can be told.
    pub(super) why: Option<ExtendedError>,
}

impl<'o> Writer<'o> {
    /// Starts an answer of at most `limit` octets, the client's OPT record being answered by another, which tells `told`, as far
    /// as there is room. None if `out` has none for the rest.
    #[inline]
    pub(super) fn new(
        out: &'o mut [u8],
        targets: &'o mut Targets,
        header: &Header,
        question: Option<Asked<'_>>,
        (edns, told): (Option<Edns>, &'o mut Told<'o>),
        limit: usize,
    ) -> Option<Self> {
        let [id_high, id_low] = header.id;
        // QR, and what is copied. AA, TC, the rcode and the counts follow in `finish`; RA and AD stay clear.
        let copied = 0x80 | header.opcode << 3 | u8::from(header.recursion_desired);
        let disabled = u8::from(header.checking_disabled) << 4;
        let head = [id_high, id_low, copied, disabled, 0, u8::from(question.is_some()), 0, 0, 0, 0, 0, 0];
        *out.first_chunk_mut::<HEADER_LENGTH>()? = head;
        targets.count = 0;
        // The OPT record has its place before anything else has.
        let (mut limit, mut kept) = (limit.min(out.len()), 0);
        if edns.is_some() {
            let question_length = question.map_or(0, |question| question.name.len() + 4);
            let room = limit.checked_sub(HEADER_LENGTH + question_length + OPT_LENGTH)?;
            if told.length() > room {
                told.fit(room);
            }
            kept = OPT_LENGTH + told.length();
            limit -= kept;
        }
        let (counts, at, is_whole) = ([0; 3], HEADER_LENGTH, true);
        let (name_end, question_end) = (at, at);
        let mut writer = Self { out, at, limit, counts, targets, name_end, question_end, edns, told, kept, is_whole };
        if let Some(question) = question {
            writer.octets(question.name)?;
            writer.name_end = writer.at;
            let [t1, t2] = question.rtype.0.to_be_bytes();
            let [c1, c2] = question.class.to_be_bytes();
            writer.octets(&[t1, t2, c1, c2])?;
            writer.question_end = writer.at;
        }
        Some(writer)
    }

    /// Writes a record set whole; or not at all, if it does not fit, and where it is needed nothing after it.
    #[inline]
    pub(super) fn put(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        set: EncodedSet<'_>,
        ttl: Option<u32>,
        is_required: bool,
    ) {
        self.try_to(section, set.count(), is_required, |writer| {
            if matches!(owner, Owner::Question)
                && !set.is_compressible()
                && ttl.is_none()
                && writer.name_end > HEADER_LENGTH + 1
            {
                // Encoded ahead, for this very case.
                return writer.octets(set.body());
            }
            let (rtype, ttl) = (set.rtype(), ttl.unwrap_or_else(|| set.ttl()));
            set.data().try_for_each(|data| writer.put_record(owner, rtype, ttl, data, set.is_compressible()))
        });
    }

    /// Writes a CNAME that no zone has.
    pub(super) fn put_alias(&mut self, owner: Owner<'_>, ttl: u32, target: &[u8]) {
        self.try_to(Section::Answer, 1, true, |writer| writer.put_record(owner, RecordType::CNAME, ttl, target, true));
    }

    /// Writes a text of class CH at the question's name (RFC 4892 §3).
    pub(super) fn put_text(&mut self, text: &[u8]) {
        self.try_to(Section::Answer, 1, true, |writer| {
            let length = u8::try_from(text.len()).ok()?;
            writer.put_pointer(QUESTION_AT)?;
            let [t1, t2] = RecordType::TXT.0.to_be_bytes();
            let [c1, c2] = CLASS_CHAOS.to_be_bytes();
            let [l1, l2] = (u16::from(length) + 1).to_be_bytes();
            writer.octets(&[t1, t2, c1, c2, 0, 0, 0, 0, l1, l2, length])?;
            writer.octets(text)
        });
    }

    /// Whether nothing is missing so far that is needed.
    pub(super) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    #[inline]
    fn try_to(&mut self, section: Section, count: u16, is_required: bool, write: impl FnOnce(&mut Self) -> Option<()>) {
        if !self.is_whole {
            return;
        }
        let (at, targets) = (self.at, self.targets.count);
        if write(self).is_some() {
            self.counts[section as usize] = self.counts[section as usize].saturating_add(count);
        } else {
            (self.at, self.targets.count) = (at, targets);
            // What is needed and does not fit ends the answer: the client comes back over TCP for all of it.
            self.is_whole = !is_required;
        }
    }

    #[inline]
    fn octets(&mut self, octets: &[u8]) -> Option<()> {
        let end = self.at + octets.len();
        if end > self.limit {
            return None;
        }
        self.out.get_mut(self.at..end)?.copy_from_slice(octets);
        self.at = end;
        Some(())
    }

    fn put_record(
        &mut self,
        owner: Owner<'_>,
        rtype: RecordType,
        ttl: u32,
        data: &[u8],
        is_compressible: bool,
    ) -> Option<()> {
        let question = self.out.get(HEADER_LENGTH..self.name_end)?;
        match owner {
            Owner::Question if question.len() > 1 => self.put_pointer(QUESTION_AT)?,
            Owner::Question => self.octets(&[0])?,
            // An owner that is the question's name is always the client's spelling.
            Owner::Name(name) if name.len() > 1 && question.eq_ignore_ascii_case(name) => {
                self.put_pointer(QUESTION_AT)?;
            }
            Owner::Name(name) => self.put_name(name)?,
        }
        let mut head = [0; RECORD_HEAD_LENGTH - 2];
        head[..2].copy_from_slice(&rtype.0.to_be_bytes());
        head[2..4].copy_from_slice(&CLASS_IN.to_be_bytes());
        head[4..8].copy_from_slice(&ttl.to_be_bytes());
        self.octets(&head)?;
        let start = self.at;
        if is_compressible {
            self.put_data(rtype, data)?;
        } else {
            self.octets(data)?;
        }
        let length = u16::try_from(self.at - start).ok()?;
        self.out.get_mut(start - 2..start)?.copy_from_slice(&length.to_be_bytes());
        Some(())
    }

    fn put_data(&mut self, rtype: RecordType, data: &[u8]) -> Option<()> {
        let mut written = 0;
        for embedded in EmbeddedName::all_in(rtype, data) {
            // RFC 3597 §4: in later types nobody has to know that there is a name.
            if embedded.compressible {
                self.octets(data.get(written..embedded.range.start)?)?;
                self.put_name(data.get(embedded.range.clone())?)?;
                written = embedded.range.end;
            }
        }
        self.octets(data.get(written..)?)
    }

    /// Writes a name, pointing back where its end stands already.
    ///
    /// Spelling is kept: into records one points only where the same octets stand. Into the question one points without
    /// regard to case, but only from what is in lower case, whose author had no spelling in mind; so the answer does not
    /// depend on how the question is spelled.
    fn put_name(&mut self, name: &[u8]) -> Option<()> {
        let mut suffix = name;
        while suffix.len() > 1 {
            if let Some(target) = self.find(suffix) {
                return self.put_pointer(target);
            }
            if self.at < POINTER_END
                && let Some(place) = self.targets.places.get_mut(self.targets.count)
            {
                *place = self.at as u16;
                self.targets.count += 1;
            }
            let (label, rest) = suffix.split_at_checked(1 + usize::from(suffix[0]))?;
            self.octets(label)?;
            suffix = rest;
        }
        self.octets(&[0])
    }

    #[inline]
    fn put_pointer(&mut self, target: u16) -> Option<()> {
        self.octets(&(0xc000 | target).to_be_bytes())
    }

    fn find(&self, suffix: &[u8]) -> Option<u16> {
        if !suffix.iter().any(u8::is_ascii_uppercase) {
            let (mut at, end) = (HEADER_LENGTH, self.name_end);
            while end.saturating_sub(at) > suffix.len() {
                at += 1 + usize::from(*self.out.get(at)?);
            }
            if self.out.get(at..end).is_some_and(|rest| rest.eq_ignore_ascii_case(suffix)) {
                return u16::try_from(at).ok();
            }
        }
        let targets = self.targets.places.get(..self.targets.count)?;
        targets.iter().copied().find(|target| self.stands_at(*target, suffix))
    }

    /// Whether the name that starts at `at` is exactly `suffix`.
    fn stands_at(&self, at: u16, suffix: &[u8]) -> bool {
        let (mut at, mut suffix) = (usize::from(at), suffix);
        // Not beyond what is written: there stands what is left of other messages.
        let Some(written) = self.out.get(..self.at) else { return false };
        loop {
            let Some(&length) = written.get(at) else { return false };
            if length >= 0xc0 {
                let Some(&low) = written.get(at + 1) else { return false };
                at = usize::from(length & 0x3f) << 8 | usize::from(low);
                continue;
            }
            let end = 1 + usize::from(length);
            let (Some(stands), Some(wanted)) = (written.get(at..at + end), suffix.get(..end)) else { return false };
            // In the question the client's spelling stands for lower case, as in `find`.
            let is_alike = if at < self.question_end {
                stands.iter().map(u8::to_ascii_lowercase).eq(wanted.iter().copied())
            } else {
                stands == wanted
            };
            if !is_alike {
                return false;
            }
            if length == 0 {
                return true;
            }
            at += end;
            suffix = &suffix[end..];
        }
    }

    /// Puts the last things in: flags, counts and the OPT record; and says how long the message is.
    #[inline]
    pub(super) fn finish(mut self, flags: Flags) -> Option<usize> {
        let rcode = flags.rcode.0;
        let [_, _, high, low, ..] = self.out.first_chunk_mut::<HEADER_LENGTH>()?;
        *high |= u8::from(flags.authoritative) << 2 | u8::from(!self.is_whole) << 1;
        *low |= (rcode & 0x0f) as u8;
        if let Some(edns) = self.edns {
            // The room that was kept. What is left beside it is for the reason of an error.
            self.limit += self.kept;
            let why = flags.why.filter(|why| self.at + self.kept + why.length() <= self.limit);
            let [t1, t2] = RecordType::OPT.0.to_be_bytes();
            let [s1, s2] = EDNS_PAYLOAD_SIZE.to_be_bytes();
            // Extended rcode, version 0, DO as the client sent it (RFC 3225 §3).
            let flags = u8::from(edns.dnssec_ok) << 7;
            let [l1, l2] = ((self.kept - OPT_LENGTH + why.map_or(0, ExtendedError::length)) as u16).to_be_bytes();
            self.octets(&[0, t1, t2, s1, s2, (rcode >> 4) as u8, 0, flags, 0, l1, l2])?;
            if self.kept > OPT_LENGTH {
                let told = self.told;
                told.write(|code, value, rest| self.put_option(code, value, rest))?;
            }
            if let Some(why) = why {
                why.write(|code, value, rest| self.put_option(code, value, rest))?;
            }
            self.counts[Section::Additional as usize] += 1;
        }
        let counts = self.out.get_mut(COUNTS_AT..HEADER_LENGTH)?;
        for (at, count) in counts.chunks_exact_mut(2).zip(self.counts) {
            at.copy_from_slice(&count.to_be_bytes());
        }
        Some(self.at)
    }

    /// An option whose value comes in two pieces.
    fn put_option(&mut self, code: u16, value: &[u8], rest: &[u8]) -> Option<()> {
        let length = u16::try_from(value.len() + rest.len()).ok()?;
        self.octets(&code.to_be_bytes())?;
        self.octets(&length.to_be_bytes())?;
        self.octets(value)?;
        self.octets(rest)
    }
}
