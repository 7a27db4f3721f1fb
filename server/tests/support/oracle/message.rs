//! Writes answers: the question as the client spelled it, names compressed, record sets whole or not at all.

use super::super::wire::Question;
use server::answer::{EDNS_PAYLOAD_SIZE, Rcode};
use zone_model::{Name, RecordSet, RecordType};

const CLASS_IN: u16 = 1;

/// Where the question's name stands in every message.
const QUESTION_AT: u16 = 12;
/// Pointers have 14 bits (RFC 1035 §4.1.4).
const POINTER_END: usize = 0x4000;
/// How many places are kept to point at. More would make a large answer slow for little: most names share the first few.
const TARGETS_MAX: usize = 128;
/// An OPT record without options.
const OPT_LENGTH: usize = 11;
/// Where the counts of the three sections stand in the header.
const COUNTS_AT: [usize; 3] = [6, 8, 10];

/// A section of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Answer,
    Authority,
    Additional,
}

/// A message being written.
pub(super) struct Writer {
    out: Vec<u8>,
    limit: usize,
    counts: [u16; 3],
    /// Places where a name starts that a later one can end in, in the order of writing.
    targets: Vec<u16>,
    question: Question,
    question_end: usize,
}

/// What an answer's header says beside what it copies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags {
    pub(super) rcode: Rcode,
    pub(super) authoritative: bool,
    pub(super) truncated: bool,
}

impl Writer {
    /// Starts an answer of at most `limit` octets.
    pub(super) fn new(question: &Question, limit: usize) -> Self {
        let mut out = question.to_wire();
        out.truncate(12 + question.name.as_wire().len() + 4);
        // QR, and what is copied. AA, TC and the rcode follow in `finish`; RA and AD stay clear.
        (out[2], out[3]) = (0x80 | u8::from(question.rd), u8::from(question.cd) << 4);
        out[4..12].copy_from_slice(&[0, 1, 0, 0, 0, 0, 0, 0]);
        // The OPT record has its place before anything else has.
        let limit = limit - question.size.map_or(0, |_| OPT_LENGTH);
        let (question, question_end) = (question.clone(), out.len());
        Self { out, limit, counts: [0; 3], targets: Vec::new(), question, question_end }
    }

    /// Writes a record set under the name `owner`, whole; false if it does not fit, and then nothing is written.
    #[must_use]
    pub(super) fn put(&mut self, section: Section, owner: &Name, set: &RecordSet, ttl: u32) -> bool {
        let (length, targets, before) = (self.out.len(), self.targets.len(), self.counts);
        for record in set.records() {
            self.put_name(owner, true);
            self.out.extend_from_slice(&set.rtype().0.to_be_bytes());
            self.out.extend_from_slice(&CLASS_IN.to_be_bytes());
            self.out.extend_from_slice(&ttl.to_be_bytes());
            let length_at = self.out.len();
            self.out.extend_from_slice(&[0, 0]);
            self.put_data(set.rtype(), record);
            let data_length = u16::try_from(self.out.len() - length_at - 2).unwrap_or(u16::MAX);
            self.out[length_at..length_at + 2].copy_from_slice(&data_length.to_be_bytes());
            let count = &mut self.counts[section as usize];
            *count = count.saturating_add(1);
            if self.out.len() > self.limit {
                self.out.truncate(length);
                self.targets.truncate(targets);
                self.counts = before;
                return false;
            }
        }
        true
    }

    fn put_data(&mut self, rtype: RecordType, record: &zone_model::RecordData) {
        let data = record.as_wire();
        let mut written = 0;
        for embedded in record.embedded_names(rtype) {
            // RFC 3597 §4: in later types nobody has to know that there is a name.
            if !embedded.compressible {
                continue;
            }
            let Ok(name) = Name::from_wire(&data[embedded.range.clone()]) else { continue };
            self.out.extend_from_slice(&data[written..embedded.range.start]);
            self.put_name(&name, false);
            written = embedded.range.end;
        }
        self.out.extend_from_slice(&data[written..]);
    }

    /// Writes a name, pointing back where its end stands already.
    ///
    /// Spelling is kept: into records one points only where the same octets stand. Into the question one points without
    /// regard to case, but only from what is in lower case, whose author had no spelling in mind; so the answer does not
    /// depend on how the question is spelled. An owner that is the question's name is always the client's spelling.
    fn put_name(&mut self, name: &Name, is_owner: bool) {
        let mut suffix = name.as_wire();
        if is_owner && suffix.len() > 1 && self.question.name == *name {
            self.put_pointer(QUESTION_AT);
            return;
        }
        while suffix.len() > 1 {
            if let Some(target) = self.find(suffix) {
                self.put_pointer(target);
                return;
            }
            let at = self.out.len();
            if at < POINTER_END && self.targets.len() < TARGETS_MAX {
                self.targets.extend(u16::try_from(at));
            }
            let (label, rest) = suffix.split_at(1 + usize::from(suffix[0]));
            self.out.extend_from_slice(label);
            suffix = rest;
        }
        self.out.push(0);
    }

    fn put_pointer(&mut self, target: u16) {
        self.out.extend_from_slice(&(0xc000 | target).to_be_bytes());
    }

    fn find(&self, suffix: &[u8]) -> Option<u16> {
        if !suffix.iter().any(u8::is_ascii_uppercase) {
            let (mut rest, mut at) = (self.question.name.as_wire(), QUESTION_AT);
            while rest.len() > suffix.len() {
                let step = 1 + rest[0];
                rest = &rest[usize::from(step)..];
                at += u16::from(step);
            }
            if rest.eq_ignore_ascii_case(suffix) {
                return Some(at);
            }
        }
        self.targets.iter().copied().find(|target| self.stands_at(*target, suffix))
    }

    /// Whether the name that starts at `at` is exactly `suffix`.
    fn stands_at(&self, at: u16, suffix: &[u8]) -> bool {
        let (mut at, mut suffix) = (usize::from(at), suffix);
        loop {
            let Some(&length) = self.out.get(at) else { return false };
            if length >= 0xc0 {
                let Some(&low) = self.out.get(at + 1) else { return false };
                at = usize::from(length & 0x3f) << 8 | usize::from(low);
                continue;
            }
            let end = 1 + usize::from(length);
            let (Some(stands), Some(wanted)) = (self.out.get(at..at + end), suffix.get(..end)) else { return false };
            // In the question the client's spelling stands for lower case, as in `find`.
            let is_alike =
                if at < self.question_end { stands.to_ascii_lowercase() == wanted } else { stands == wanted };
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

    /// Puts the last things in: flags, counts and the OPT record.
    pub(super) fn finish(mut self, flags: Flags) -> Vec<u8> {
        // No code of an answer needs more than four bits.
        self.out[2] |= u8::from(flags.authoritative) << 2 | u8::from(flags.truncated) << 1;
        self.out[3] |= u8::try_from(flags.rcode.0).unwrap();
        if self.question.size.is_some() {
            self.out.extend_from_slice(&[0]);
            self.out.extend_from_slice(&RecordType::OPT.0.to_be_bytes());
            self.out.extend_from_slice(&EDNS_PAYLOAD_SIZE.to_be_bytes());
            // Version 0, DO as the client sent it (RFC 3225 §3).
            self.out.extend_from_slice(&[0, 0, u8::from(self.question.dnssec_ok) << 7, 0]);
            // To REFUSED belongs that this server is not the one to ask (RFC 8914 §4.21).
            let options: &[u8] = if flags.rcode == Rcode::REFUSED { &[0, 15, 0, 2, 0, 20] } else { &[] };
            self.out.extend_from_slice(&[0, u8::try_from(options.len()).unwrap()]);
            self.out.extend_from_slice(options);
            self.counts[Section::Additional as usize] += 1;
        }
        for (at, count) in COUNTS_AT.into_iter().zip(self.counts) {
            self.out[at..at + 2].copy_from_slice(&count.to_be_bytes());
        }
        self.out
    }
}
