//! Reads plain queries, which are nearly all that come: one question of class IN, and at most an OPT record of version 0 whose
//! options need no second look. Allocates nothing; whatever is not as plain as that is left to `request`.

use super::options::Wishes;
use super::request::{CLASS_IN, Edns, HEADER_LENGTH, Header, OPCODE_QUERY};
use crate::snapshot::HashedName;
use zone_model::RecordType;

/// A plain query, but for its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain {
    pub(super) header: Header,
    /// How long the question's name is, which stands right behind the header.
    pub(super) name_length: usize,
    pub(super) rtype: RecordType,
    pub(super) edns: Option<Edns>,
}

/// What a packet is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A plain query.
    Plain(Plain),
    /// Something else that wants an answer.
    Other,
    /// Nothing that may be answered: a response, or no message at all.
    Silence,
}

/// Reads a packet, the question's name into `name`.
#[inline]
pub(super) fn read(packet: &[u8], name: &mut HashedName) -> Kind {
    let Some((header, rest)) = packet.split_first_chunk::<HEADER_LENGTH>() else { return Kind::Silence };
    let Some(header) = Header::read(header) else { return Kind::Silence };
    read_body(header, rest, name).map_or(Kind::Other, Kind::Plain)
}

#[inline]
fn read_body(header: Header, rest: &[u8], name: &mut HashedName) -> Option<Plain> {
    let [1, 0, 0, additionals @ (0 | 1)] = header.counts else { return None };
    if header.opcode != OPCODE_QUERY {
        return None;
    }
    let name_length = name.read(rest)?;
    let (&[t1, t2, c1, c2], rest) = rest.get(name_length..)?.split_first_chunk()?;
    let rtype = RecordType(u16::from_be_bytes([t1, t2]));
    // Types that no data can have are not for here, but for ANY.
    if u16::from_be_bytes([c1, c2]) != CLASS_IN || (!rtype.is_data() && rtype != RecordType::ANY) {
        return None;
    }
    let edns = if additionals == 1 { Some(read_opt(rest)?) } else { None };
    (additionals == 1 || rest.is_empty()).then_some(Plain { header, name_length, rtype, edns })
}

/// Reads an OPT record that is all there is.
#[inline]
fn read_opt(rest: &[u8]) -> Option<Edns> {
    let (&[0, t1, t2, s1, s2, _, 0, flags, _, l1, l2], options) = rest.split_first_chunk()? else { return None };
    let length = usize::from(u16::from_be_bytes([l1, l2]));
    if RecordType(u16::from_be_bytes([t1, t2])) != RecordType::OPT || options.len() != length {
        return None;
    }
    let wishes = Wishes::read(options).filter(Wishes::are_plain)?;
    let payload_size = u16::from_be_bytes([s1, s2]);
    Some(Edns { payload_size, version: 0, dnssec_ok: flags & 0x80 != 0, wishes })
}
