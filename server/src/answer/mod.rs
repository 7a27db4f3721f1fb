//! From a snapshot and a packet to an answer: a pure function, the same for every transport.
//!
//! Two doors lead to one way of answering: `plain` reads what nearly everybody sends, and allocates nothing; `request` reads
//! the rest, and says what is wrong with it.

mod additional;
mod ahead;
mod lookup;
mod message;
mod plain;
mod request;
mod resolve;

pub use ahead::GROUP_SIZE;
pub use resolve::ALIAS_CHAIN_LENGTH_MAX;

use crate::access::Rights;
use crate::snapshot::{Directory, HashedName};
use message::{Asked, Flags, Targets, Writer};
use plain::{Kind, Plain};
use request::{CLASS_ANY, CLASS_IN, Edns, HEADER_LENGTH, Question, Request};
use resolve::{Outcome, resolve, zone_for};
use zone_model::{RecordType, Version};

/// The size of UDP messages that we are ready for, and the most that we send: it passes every common network in one
/// piece (as agreed on DNS flag day 2020).
pub const EDNS_PAYLOAD_SIZE: u16 = 1232;
/// The option by which a client asks which generation an answer was made from, and is told (docs/decisions/0012). It is
/// one of those for local use (RFC 6891 §9).
pub const GENERATION_OPTION: u16 = 65042;
/// What a client without EDNS can take over UDP (RFC 1035 §4.2.1).
const PLAIN_UDP_SIZE: u16 = 512;
/// Room for any reply over UDP.
pub const UDP_REPLY_SIZE: usize = EDNS_PAYLOAD_SIZE as usize;
/// Room for any reply over TCP.
pub const TCP_REPLY_SIZE: usize = u16::MAX as usize;

/// What carried the question, and so how long its answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Everything with a connection and a length before each message.
    Tcp,
}

/// What to do with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send so many octets, which is the whole reply; for the counters its code.
    Reply(usize, Rcode),
    /// Give it to [`answer_slowly`], when there is time.
    Slow,
    /// Send nothing.
    Drop,
}

/// A response code, of which those above 15 need EDNS (RFC 6895 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rcode(pub u16);

impl Rcode {
    /// All is well.
    pub const NO_ERROR: Self = Self(0);
    /// The request cannot be read.
    pub const FORMAT_ERROR: Self = Self(1);
    /// No data yet.
    pub const SERVER_FAILURE: Self = Self(2);
    /// The name does not exist.
    pub const NO_SUCH_NAME: Self = Self(3);
    /// An opcode or a type of question that we do not know.
    pub const NOT_IMPLEMENTED: Self = Self(4);
    /// Not ours to answer.
    pub const REFUSED: Self = Self(5);
    /// The name that a DNAME leads to is too long (RFC 6672 §2.2).
    pub const NAME_TOO_LONG: Self = Self(6);
    /// A version of EDNS above 0 (RFC 6891 §6.1.3).
    pub const BAD_VERSION: Self = Self(16);
}

/// What a packet asked for and what its answer is about, for who counts and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The type that was asked for; 0 if there was no question.
    pub rtype: RecordType,
    /// The hash of the name that decided: the one that was asked for, or the end of it below which any name is answered alike (a
    /// delegation, a DNAME, the parent of an asterisk; the zone, where there is no such name); 0 if no zone did.
    pub name: u64,
}

impl About {
    /// Nothing: there was no question.
    pub const NOTHING: Self = Self { rtype: RecordType(0), name: 0 };
}

/// Room to work in, kept from packet to packet, so that answering allocates nothing.
#[derive(Debug)]
pub struct Scratch {
    /// Packets that were looked at ahead of answering them, and the names that they ask for.
    ahead: Box<[(Kind, HashedName)]>,
    names: resolve::Names,
    targets: Targets,
    about: About,
}

impl Default for Scratch {
    fn default() -> Self {
        let ahead = (0..GROUP_SIZE).map(|_| (Kind::Silence, HashedName::default())).collect();
        Self { ahead, names: resolve::Names::default(), targets: Targets::default(), about: About::NOTHING }
    }
}

/// Answers a packet out of `directory`, into `out`, if it is a plain query; anything else that wants an answer is
/// [`Verdict::Slow`].
///
/// No lock, no clock, no I/O, nothing random, nothing allocated: the same packet gets the same reply, to the last octet.
#[inline]
pub fn answer(
    directory: &Directory,
    scratch: &mut Scratch,
    packet: &[u8],
    transport: Transport,
    out: &mut [u8],
) -> Verdict {
    scratch.read(0, packet);
    scratch.answer(directory, 0, packet, transport, out)
}

impl Scratch {
    /// What the last answer was about.
    #[must_use]
    pub const fn about(&self) -> About {
        self.about
    }

    #[inline]
    fn read(&mut self, place: usize, packet: &[u8]) {
        if let Some((kind, name)) = self.ahead.get_mut(place) {
            *kind = plain::read(packet, name);
        }
    }

    /// Answers the packet that was read into this place.
    #[inline]
    fn answer(
        &mut self,
        directory: &Directory,
        place: usize,
        packet: &[u8],
        transport: Transport,
        out: &mut [u8],
    ) -> Verdict {
        let Self { ahead, names, targets, about } = self;
        let Some((kind, name)) = ahead.get(place) else { return Verdict::Slow };
        let plain = match kind {
            Kind::Plain(plain) if directory.is_loaded() => plain,
            Kind::Plain(_) | Kind::Other => return Verdict::Slow,
            Kind::Silence => return Verdict::Drop,
        };
        let Plain { header, name_length, rtype, edns } = plain;
        let spelled = packet.get(HEADER_LENGTH..HEADER_LENGTH + name_length).unwrap_or_default();
        let question = Some(Asked { name: spelled, rtype: *rtype, class: CLASS_IN });
        let limit = limit_of(transport, *edns);
        let Some(mut writer) = Writer::new(out, targets, header, question, (*edns, None), limit) else {
            return Verdict::Slow;
        };
        let outcome = resolve(directory, name, spelled, *rtype, names, &mut writer);
        let Outcome { rcode, authoritative, about: decided_by } = outcome;
        *about = About { rtype: *rtype, name: decided_by };
        match writer.finish(Flags { rcode, authoritative }) {
            Some(length) => Verdict::Reply(length, rcode),
            None => Verdict::Slow,
        }
    }
}

/// Answers any packet, plain or not, out of `directory` into `out`: errors, and all that is seldom asked for. Never
/// [`Verdict::Slow`]. What is no plain question of a zone's data is answered by the client's `rights`.
pub fn answer_slowly(
    directory: &Directory,
    scratch: &mut Scratch,
    packet: &[u8],
    (transport, rights): (Transport, Rights),
    out: &mut [u8],
) -> Verdict {
    let Some(request) = request::read(packet) else { return Verdict::Drop };
    let Scratch { ahead, names, targets, about } = scratch;
    let Some((_, name)) = ahead.first_mut() else { return Verdict::Drop };
    let asked = request.question.as_ref();
    let asked = asked.map(|asked| Asked { name: asked.name.as_wire(), rtype: asked.rtype, class: asked.class });
    let judged = judge(directory, &request, rights);
    let told = match judged {
        Ok(question) => {
            let _ = name.read(question.name.as_wire());
            let asks = rights.may_diagnose() && request.edns.is_some_and(|edns| edns.asks_for_generation);
            asks.then(|| version_for(directory, name, question.rtype)).flatten()
        }
        Err(_) => None,
    };
    let limit = limit_of(transport, request.edns);
    let Some(mut writer) = Writer::new(out, targets, &request.header, asked, (request.edns, told), limit) else {
        return Verdict::Drop;
    };
    let outcome = match judged {
        Ok(question) => {
            let spelled = question.name.as_wire();
            let outcome = resolve(directory, name, spelled, question.rtype, names, &mut writer);
            // Several classes were asked about, and this is but one of them (RFC 1035 §6.2).
            Outcome { authoritative: outcome.authoritative && question.class != CLASS_ANY, ..outcome }
        }
        Err(rcode) => Outcome { rcode, authoritative: false, about: 0 },
    };
    let Outcome { rcode, authoritative, about: decided_by } = outcome;
    *about = About { rtype: asked.map_or(RecordType(0), |asked| asked.rtype), name: decided_by };
    match writer.finish(Flags { rcode, authoritative }) {
        Some(length) => Verdict::Reply(length, rcode),
        None => Verdict::Drop,
    }
}

/// The generation of the group that an answer begins in, if it does in one of ours. Where an alias leads into another group,
/// what comes from there is of that group's.
fn version_for(directory: &Directory, name: &HashedName, rtype: RecordType) -> Option<Version> {
    Some(directory.group(zone_for(directory, name, rtype)?.group)?.version)
}

/// How long a reply may be.
fn limit_of(transport: Transport, edns: Option<Edns>) -> usize {
    usize::from(match transport {
        Transport::Udp => {
            let theirs = edns.map_or(PLAIN_UDP_SIZE, |edns| edns.payload_size);
            theirs.clamp(PLAIN_UDP_SIZE, EDNS_PAYLOAD_SIZE)
        }
        Transport::Tcp => u16::MAX,
    })
}

/// The question, if it is one that zones can answer; else the code to answer with.
fn judge<'r>(directory: &Directory, request: &'r Request, rights: Rights) -> Result<&'r Question, Rcode> {
    // NOTIFY, UPDATE and all else that is no query: not yet; and what we know is nothing for everybody to find out.
    if request.header.opcode != 0 {
        return Err(if rights.may_diagnose() { Rcode::NOT_IMPLEMENTED } else { Rcode::REFUSED });
    }
    if request.is_malformed {
        return Err(Rcode::FORMAT_ERROR);
    }
    let question = request.question.as_ref().ok_or(Rcode::FORMAT_ERROR)?;
    if request.edns.is_some_and(|edns| edns.version > 0) {
        return Err(Rcode::BAD_VERSION);
    }
    if question.class != CLASS_IN && question.class != CLASS_ANY {
        return Err(Rcode::REFUSED);
    }
    match question.rtype {
        // Transfers: not yet.
        RecordType::AXFR | RecordType::IXFR => return Err(Rcode::REFUSED),
        // Obsolete (RFC 1035 §3.2.3), or an agreement on keys that we do not make (RFC 2930).
        RecordType::MAILA | RecordType::MAILB | RecordType::TKEY => return Err(Rcode::NOT_IMPLEMENTED),
        // Parts of a message, and of a proof (NXNAME, RFC 9824 §3.4), but nothing that can be asked for.
        RecordType(0 | 128) | RecordType::OPT | RecordType::TSIG => return Err(Rcode::FORMAT_ERROR),
        _ => {}
    }
    // A server that knows nothing does not know what is not its own either.
    if directory.is_loaded() { Ok(question) } else { Err(Rcode::SERVER_FAILURE) }
}
