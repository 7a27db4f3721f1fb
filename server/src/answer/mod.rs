//! From a snapshot and a question to an answer: a pure function, the same for every transport.

mod additional;
mod lookup;
mod message;
mod request;
mod resolve;

pub use lookup::{Cut, Finding, look_up};
pub use resolve::ALIAS_CHAIN_LENGTH_MAX;

use crate::snapshot::Directory;
use message::{Flags, Section, Writer};
use request::{CLASS_ANY, CLASS_IN, Question, Request};
use resolve::Response;
use zone_model::{RecordType, Version};

/// The size of UDP messages that we are ready for, and the most that we send: it passes every common network in one
/// piece (as agreed on DNS flag day 2020).
pub const EDNS_PAYLOAD_SIZE: u16 = 1232;
/// The option by which a client asks which generation an answer was made from, and is told (docs/decisions/0012). It is
/// one of those for local use (RFC 6891 §9).
pub const GENERATION_OPTION: u16 = 65042;
/// What a client without EDNS can take over UDP (RFC 1035 §4.2.1).
const PLAIN_UDP_SIZE: u16 = 512;

/// What carried the question, and so how long its answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Everything with a connection and a length before each message.
    Tcp,
}

/// What to do with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send it.
    Reply(Rcode),
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

/// Answers one request out of `directory`, into `out`, which then holds the whole reply.
///
/// No lock, no clock, no I/O, nothing random: the same request gets the same reply, to the last octet.
pub fn answer(directory: &Directory, request: &[u8], transport: Transport, out: &mut Vec<u8>) -> Verdict {
    let Some(request) = request::read(request) else { return Verdict::Drop };
    let rcode = match judge(directory, &request) {
        Ok(question) => {
            let mut response = Response::default();
            resolve::resolve(directory, &question.name, question.rtype, &mut response);
            // Several classes were asked about, and this is but one of them (RFC 1035 §6.2).
            response.authoritative &= question.class != CLASS_ANY;
            let rcode = response.rcode;
            let asks = request.edns.is_some_and(|edns| edns.asks_for_generation);
            let told = if asks { response.version(directory) } else { None };
            write(&request, &response, told, transport, out);
            rcode
        }
        Err(rcode) => {
            write(&request, &Response { rcode, ..Response::default() }, None, transport, out);
            rcode
        }
    };
    Verdict::Reply(rcode)
}

/// The question, if it is one that zones can answer; else the code to answer with.
fn judge<'r>(directory: &Directory, request: &'r Request) -> Result<&'r Question, Rcode> {
    // NOTIFY, UPDATE and all else that is no query: not yet.
    if request.header.opcode != 0 {
        return Err(Rcode::NOT_IMPLEMENTED);
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

/// Writes the answer, and `told` into its OPT record, of which there is one where anybody asked to be told.
fn write(request: &Request, response: &Response<'_>, told: Option<Version>, transport: Transport, out: &mut Vec<u8>) {
    let limit = match transport {
        Transport::Udp => {
            let theirs = request.edns.map_or(PLAIN_UDP_SIZE, |edns| edns.payload_size);
            theirs.clamp(PLAIN_UDP_SIZE, EDNS_PAYLOAD_SIZE)
        }
        Transport::Tcp => u16::MAX,
    };
    let mut writer = Writer::new(out, request, told, usize::from(limit));
    // The first set that is needed and does not fit ends the answer: the client comes back over TCP for all of it.
    let mut put = |section, entries: &[resolve::Entry<'_>]| {
        entries.iter().all(|entry| writer.put(section, &entry.owner, &entry.set, entry.ttl) || !entry.is_required)
    };
    let is_whole = put(Section::Answer, &response.answer)
        && put(Section::Authority, &response.authority)
        && put(Section::Additional, &response.additional);
    writer.finish(Flags { rcode: response.rcode, authoritative: response.authoritative, truncated: !is_whole });
}
