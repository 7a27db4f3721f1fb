//! Reads what a client sent. Written by hand, for its strictness and its silence: nothing is allocated but the name,
//! counts in the header are never believed, and options that we do not know are stepped over unread.

use super::options::Wishes;
use zone_model::{Name, RecordType};

/// A header's length (RFC 1035 §4.1.1).
pub(super) const HEADER_LENGTH: usize = 12;
/// Standard queries (RFC 1035 §4.1.1).
pub(super) const OPCODE_QUERY: u8 = 0;

/// The Internet.
pub(super) const CLASS_IN: u16 = 1;
/// Chaos, where servers tell of themselves (RFC 4892).
pub(super) const CLASS_CHAOS: u16 = 3;
/// Any class (RFC 1035 §3.2.5).
pub(super) const CLASS_ANY: u16 = 255;
/// How many pointers one name may lead through. Who compresses puts a label before each, and no name has more labels.
const JUMPS_MAX: usize = 127;

/// The first two octets of flags that an answer copies: opcode, RD and CD (RFC 1035 §4.1.1, RFC 4035 §3.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: [u8; 2],
    pub(super) opcode: u8,
    pub(super) recursion_desired: bool,
    pub(super) checking_disabled: bool,
    pub(super) counts: [u16; 4],
}

impl Header {
    /// Reads a header; none of a response.
    #[inline]
    pub(super) fn read(header: &[u8; HEADER_LENGTH]) -> Option<Self> {
        if header[2] & 0x80 != 0 {
            return None;
        }
        let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        Some(Self {
            id: [header[0], header[1]],
            opcode: header[2] >> 3 & 0x0f,
            recursion_desired: header[2] & 1 != 0,
            checking_disabled: header[3] & 0x10 != 0,
            counts: [count(4), count(6), count(8), count(10)],
        })
    }
}

/// What was asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// As the client spelled it.
    pub(super) name: Name,
    pub(super) rtype: RecordType,
    pub(super) class: u16,
}

/// The client's OPT record (RFC 6891 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edns {
    pub(super) payload_size: u16,
    pub(super) version: u8,
    pub(super) dnssec_ok: bool,
    /// What the options say; of a later version than 0 nothing is known.
    pub(super) wishes: Wishes,
}

/// What could be read of a request, and whether that was all of it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) header: Header,
    pub(super) question: Option<Question>,
    pub(super) edns: Option<Edns>,
    /// Not as a message should be: several questions, two OPT records, a name that does not end, octets left over.
    pub(super) is_malformed: bool,
}

/// Reads a request; none if nothing may be said to it: what is shorter than a header, and every response, or two servers
/// could be set to answering each other for ever.
pub(super) fn read(message: &[u8]) -> Option<Request> {
    let (header, rest) = message.split_first_chunk::<HEADER_LENGTH>()?;
    let mut request = Request { header: Header::read(header)?, question: None, edns: None, is_malformed: false };
    request.is_malformed = read_body(&mut request, message, rest).is_none();
    Some(request)
}

fn read_body(request: &mut Request, message: &[u8], rest: &[u8]) -> Option<()> {
    let [questions, answers, authorities, additionals] = request.header.counts;
    // Without a question there may still be an OPT record, which wants another in return, and may bring a cookie. What has more than one
    // question, nobody knows how to answer, or where its records begin.
    let mut rest = match questions {
        0 => rest,
        1 => read_question(request, rest)?,
        _ => return None,
    };
    // A plain query brings no records of its own. Other opcodes may, and so does IXFR (RFC 1995 §3).
    let asks_plainly = request.question.as_ref().is_none_or(|question| question.rtype != RecordType::IXFR);
    if request.header.opcode == OPCODE_QUERY && asks_plainly && (answers > 0 || authorities > 0) {
        return None;
    }
    for _ in 0..u32::from(answers) + u32::from(authorities) {
        let (record, after) = read_record(message, rest)?;
        if record.rtype == RecordType::OPT {
            return None;
        }
        rest = after;
    }
    for _ in 0..additionals {
        let (record, after) = read_record(message, rest)?;
        if record.rtype == RecordType::OPT {
            let is_second = request.edns.is_some();
            let [_, version, flags, _] = record.ttl;
            let (payload_size, dnssec_ok) = (record.class, flags & 0x80 != 0);
            let wishes = if version == 0 { Wishes::read(record.data) } else { Some(Wishes::default()) };
            let edns = Edns { payload_size, version, dnssec_ok, wishes: wishes.unwrap_or_default() };
            request.edns = Some(edns);
            // RFC 6891 §6.1.1.
            if is_second || !record.is_root || wishes.is_none() {
                return None;
            }
        }
        rest = after;
    }
    rest.is_empty().then_some(())
}

fn read_question<'m>(request: &mut Request, rest: &'m [u8]) -> Option<&'m [u8]> {
    // A question's name has nothing before it that it could point to.
    let (name, rest) = Name::split_wire(rest).ok()?;
    let (&[t1, t2, c1, c2], rest) = rest.split_first_chunk::<4>()?;
    let rtype = RecordType(u16::from_be_bytes([t1, t2]));
    request.question = Some(Question { name, rtype, class: u16::from_be_bytes([c1, c2]) });
    Some(rest)
}

struct Record<'m> {
    is_root: bool,
    rtype: RecordType,
    class: u16,
    ttl: [u8; 4],
    data: &'m [u8],
}

fn read_record<'m>(message: &'m [u8], rest: &'m [u8]) -> Option<(Record<'m>, &'m [u8])> {
    let is_root = rest.first() == Some(&0);
    let rest = step_over_name(message, rest)?;
    let (&[t1, t2, c1, c2, ttl @ .., l1, l2], rest) = rest.split_first_chunk::<10>()?;
    let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l1, l2])))?;
    let (rtype, class) = (RecordType(u16::from_be_bytes([t1, t2])), u16::from_be_bytes([c1, c2]));
    Some((Record { is_root, rtype, class, ttl, data }, rest))
}

/// Steps over a name that may be compressed, having followed it to its end (RFC 1035 §4.1.4).
fn step_over_name<'m>(message: &'m [u8], rest: &'m [u8]) -> Option<&'m [u8]> {
    let mut at = message.len().checked_sub(rest.len())?;
    let (mut length, mut jumps, mut after) = (1, 0, None);
    loop {
        match *message.get(at)? {
            0 => break,
            label @ 1..=63 => {
                at += 1 + usize::from(label);
                length += 1 + usize::from(label);
                if length > zone_model::NAME_LENGTH_MAX {
                    return None;
                }
            }
            high @ 0xc0.. => {
                let target = usize::from(high & 0x3f) << 8 | usize::from(*message.get(at + 1)?);
                // Only backwards, and so never in circles; but thousands of records could all begin at the end of thousands of
                // pointers.
                jumps += 1;
                if !(HEADER_LENGTH..at).contains(&target) || jumps > JUMPS_MAX {
                    return None;
                }
                after = after.or(Some(at + 2));
                at = target;
            }
            _ => return None,
        }
    }
    message.get(after.unwrap_or(at + 1)..)
}
