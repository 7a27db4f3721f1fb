//! Reads a server's answers. Nothing is shared with the server's own writing of them but the nouns.

use zone_model::{Generation, Id, Name, RecordData, RecordType, Version};

/// The option by which an answer tells its generation (docs/decisions/0012).
pub(super) const GENERATION_OPTION: u16 = 65042;
/// A header's length (RFC 1035 §4.1.1).
const HEADER_LENGTH: usize = 12;
/// More jumps than a name has octets are a circle.
const JUMPS_MAX: usize = 255;

/// An answer, as far as the auditor looks at it.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) rcode: u8,
    pub(super) authoritative: bool,
    pub(super) truncated: bool,
    /// Which generation it was made from, if it tells.
    pub(super) told: Option<Version>,
    /// The answer section.
    pub(super) answers: Vec<Record>,
}

/// A record of the answer section.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) owner: Name,
    pub(super) rtype: RecordType,
    pub(super) ttl: u32,
    pub(super) data: RecordData,
}

/// The question for `rtype` at `name`, which asks for the generation as well.
pub(super) fn question(id: u16, name: &Name, rtype: RecordType) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    // A standard query with one question, and an OPT record with one empty option.
    message.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    message.extend_from_slice(name.as_wire());
    message.extend_from_slice(&rtype.0.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    message.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 4]);
    message.extend_from_slice(&GENERATION_OPTION.to_be_bytes());
    message.extend_from_slice(&[0, 0]);
    message
}

/// Reads an answer to the question with this id; none for what is no such thing.
pub(super) fn read(message: &[u8], id: u16) -> Option<Reply> {
    let header = message.first_chunk::<HEADER_LENGTH>()?;
    let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    if count(0) != id || header[2] & 0x80 == 0 {
        return None;
    }
    let mut at = HEADER_LENGTH;
    for _ in 0..count(4) {
        at = name_at(message, at)?.1 + 4;
    }
    let mut reply = Reply {
        rcode: header[3] & 0x0f,
        authoritative: header[2] & 0x04 != 0,
        truncated: header[2] & 0x02 != 0,
        told: None,
        answers: Vec::new(),
    };
    let [answers, others, additionals] = [count(6), count(8), count(10)];
    for place in 0..u32::from(answers) + u32::from(others) + u32::from(additionals) {
        let (owner, fixed) = name_at(message, at)?;
        let [t1, t2, _, _, ttl @ .., l1, l2] = *message.get(fixed..)?.first_chunk::<10>()?;
        let (rtype, begin) = (RecordType(u16::from_be_bytes([t1, t2])), fixed + 10);
        at = begin + usize::from(u16::from_be_bytes([l1, l2]));
        let data = message.get(begin..at)?;
        if rtype == RecordType::OPT {
            reply.told = told(data);
        } else if place < u32::from(answers) {
            let plain = uncompressed(rtype, message, begin, at)?;
            let data = RecordData::from_wire(rtype, &plain).ok()?;
            reply.answers.push(Record { owner, rtype, ttl: u32::from_be_bytes(ttl), data });
        }
    }
    Some(reply)
}

fn told(mut options: &[u8]) -> Option<Version> {
    while let Some((&[c1, c2, l1, l2], rest)) = options.split_first_chunk::<4>() {
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l1, l2])))?;
        if u16::from_be_bytes([c1, c2]) == GENERATION_OPTION {
            let (generation, id) = value.split_first_chunk::<8>()?;
            let generation = Generation::new(i64::from_be_bytes(*generation))?;
            return Some(Version { generation, id: Id::from_bytes(id)? });
        }
        options = rest;
    }
    None
}

/// The name that starts at `at`, in full, and where what follows it starts.
fn name_at(message: &[u8], mut at: usize) -> Option<(Name, usize)> {
    let (mut wire, mut after, mut jumps) = (Vec::new(), None, 0);
    loop {
        let length = *message.get(at)?;
        match length {
            0 => break,
            1..=63 => {
                let end = at + 1 + usize::from(length);
                wire.extend_from_slice(message.get(at..end)?);
                at = end;
            }
            0xc0.. => {
                after = after.or(Some(at + 2));
                at = usize::from(length & 0x3f) << 8 | usize::from(*message.get(at + 1)?);
                jumps += 1;
                if jumps > JUMPS_MAX {
                    return None;
                }
            }
            _ => return None,
        }
    }
    wire.push(0);
    Some((Name::from_wire(&wire).ok()?, after.unwrap_or(at + 1)))
}

/// Record data with its names in full. Only the types of RFC 1035 may hold compressed ones (RFC 3597 §4): so many octets,
/// then so many names, then the rest.
fn uncompressed(rtype: RecordType, message: &[u8], begin: usize, end: usize) -> Option<Vec<u8>> {
    let (octets, names) = match rtype.0 {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR.
        2..=5 | 7..=9 | 12 => (0, 1),
        // SOA and MINFO.
        6 | 14 => (0, 2),
        // MX.
        15 => (2, 1),
        _ => return message.get(begin..end).map(<[u8]>::to_vec),
    };
    let mut at = begin + octets;
    let mut plain = message.get(begin..at)?.to_vec();
    for _ in 0..names {
        let (name, after) = name_at(message, at)?;
        plain.extend_from_slice(name.as_wire());
        at = after;
    }
    plain.extend_from_slice(message.get(at..end)?);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_pointers_is_read_in_full() {
        let name = Name::parse("www.example.").unwrap();
        let mut message = question(7, &name, RecordType::MX);
        let opt = message.split_off(message.len() - 15);
        message[2] |= 0x84;
        message[7] = 1;
        // www.example. 60 MX 10 mail.<example.>
        message
            .extend_from_slice(&[0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, 9, 0, 10, 4, b'm', b'a', b'i', b'l', 0xc0, 16]);
        let id = [9; 32];
        message.extend_from_slice(&opt[..9]);
        message.extend_from_slice(&[0, 44, 0xfe, 0x12, 0, 40, 0, 0, 0, 0, 0, 0, 0, 5]);
        message.extend_from_slice(&id);
        let reply = read(&message, 7).unwrap();
        assert_eq!((reply.rcode, reply.authoritative, reply.truncated), (0, true, false));
        assert_eq!(reply.told.unwrap().generation.get(), 5);
        assert_eq!(reply.answers[0].owner, name);
        assert_eq!(reply.answers[0].data.to_text(RecordType::MX), "10 mail.example.");
        assert!(read(&message, 8).is_none());
        for length in 0..message.len() {
            assert!(read(&message[..length], 7).is_none(), "{length}");
        }
    }

    #[test]
    fn a_circle_has_an_end() {
        let mut message = question(7, &Name::root(), RecordType::A);
        message.truncate(12);
        message[2] |= 0x80;
        message.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1]);
        assert!(read(&message, 7).is_none());
    }
}
