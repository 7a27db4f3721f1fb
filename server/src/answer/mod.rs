//! From a snapshot and a packet to an answer: a pure function, the same for every transport.
//!
//! Two doors lead to one way of answering: `plain` reads what nearly everybody sends, and allocates nothing; `request` reads
//! the rest, and says what is wrong with it.

mod additional;
mod ahead;
mod context;
mod cookies;
mod judge;
mod lookup;
mod message;
mod options;
mod plain;
mod request;
mod resolve;

pub use ahead::GROUP_SIZE;
pub use context::{Context, Options, Transport};
pub use cookies::{Cookies, Secret};
pub use options::GENERATION_OPTION;
pub use resolve::ALIAS_CHAIN_LENGTH_MAX;

use crate::snapshot::{Directory, HashedName};
use judge::{Fault, Task, judge};
use message::{Asked, Flags, Targets, Writer};
use options::{ExtendedError, Told, Worth};
use plain::{Kind, Plain};
use request::{CLASS_ANY, CLASS_IN, Edns, HEADER_LENGTH};
use resolve::{Outcome, resolve, zone_for};
use zone_model::{RecordType, Version};

/// The size of UDP messages that we are ready for, and the most that we send: it passes every common network in one
/// piece (as agreed on DNS flag day 2020).
pub const EDNS_PAYLOAD_SIZE: u16 = 1232;
/// What a client without EDNS can take over UDP (RFC 1035 §4.2.1).
const PLAIN_UDP_SIZE: u16 = 512;
/// Room for any reply over UDP.
pub const UDP_REPLY_SIZE: usize = EDNS_PAYLOAD_SIZE as usize;
/// Room for any reply over TCP.
pub const TCP_REPLY_SIZE: usize = u16::MAX as usize;

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
    /// A cookie that is not good, from who asks whether it is (RFC 7873 §5.4).
    pub const BAD_COOKIE: Self = Self(23);
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
    /// What the cookie of the last packet was worth.
    worth: Worth,
    about: About,
}

impl Default for Scratch {
    fn default() -> Self {
        let ahead = (0..GROUP_SIZE).map(|_| (Kind::Silence, HashedName::default())).collect();
        Self {
            ahead,
            names: resolve::Names::default(),
            targets: Targets::default(),
            worth: Worth::Nothing,
            about: About::NOTHING,
        }
    }
}

/// Answers a packet out of `directory`, into `out`, if it is a plain query; anything else that wants an answer is
/// [`Verdict::Slow`].
///
/// No lock, no clock, no I/O, nothing random, nothing allocated: in the same context the same packet gets the same reply, to
/// the last octet.
#[inline]
pub fn answer(
    directory: &Directory,
    scratch: &mut Scratch,
    packet: &[u8],
    context: &Context<'_>,
    out: &mut [u8],
) -> Verdict {
    scratch.read(0, packet);
    scratch.answer(directory, (0, packet), context, out)
}

impl Scratch {
    /// Whether the packet that was answered last brought a cookie of ours that is valid: its sender is at its address. Of what
    /// is [`Verdict::Slow`] that is not known yet.
    #[must_use]
    pub fn had_valid_cookie(&self) -> bool {
        self.worth == Worth::Valid
    }

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
        (place, packet): (usize, &[u8]),
        context: &Context<'_>,
        out: &mut [u8],
    ) -> Verdict {
        let Self { ahead, names, targets, worth, about } = self;
        *worth = Worth::Nothing;
        let Some((kind, name)) = ahead.get(place) else { return Verdict::Slow };
        let plain = match kind {
            Kind::Plain(plain) if directory.is_loaded() => plain,
            Kind::Plain(_) | Kind::Other => return Verdict::Slow,
            Kind::Silence => return Verdict::Drop,
        };
        let Plain { header, name_length, rtype, edns } = plain;
        let spelled = packet.get(HEADER_LENGTH..HEADER_LENGTH + name_length).unwrap_or_default();
        let question = Some(Asked { name: spelled, rtype: *rtype, class: CLASS_IN });
        let limit = limit_of(context.transport, *edns);
        let mut told;
        (told, *worth) = Told::to(edns.as_ref(), context);
        let Some(mut writer) = Writer::new(out, targets, header, question, (*edns, &mut told), limit) else {
            return Verdict::Slow;
        };
        let outcome = resolve(directory, name, spelled, *rtype, names, &mut writer);
        let Outcome { rcode, authoritative, about: decided_by } = outcome;
        *about = About { rtype: *rtype, name: decided_by };
        match writer.finish(Flags { rcode, authoritative, why: why_of(rcode) }) {
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
    context: &Context<'_>,
    out: &mut [u8],
) -> Verdict {
    scratch.worth = Worth::Nothing;
    let Some(request) = request::read(packet) else { return Verdict::Drop };
    let Scratch { ahead, names, targets, worth, about } = scratch;
    let Some((_, name)) = ahead.first_mut() else { return Verdict::Drop };
    let asked = request.question.as_ref();
    let asked = asked.map(|asked| Asked { name: asked.name.as_wire(), rtype: asked.rtype, class: asked.class });
    *about = About { rtype: asked.map_or(RecordType(0), |asked| asked.rtype), ..About::NOTHING };
    let task = judge(directory, &request, context);
    let mut told;
    (told, *worth) = Told::to(request.edns.as_ref(), context);
    if let Ok(Task::Resolve(question)) = task {
        let _ = name.read(question.name.as_wire());
        if context.rights.may_diagnose() && request.edns.is_some_and(|edns| edns.wishes.generation) {
            told.generation = version_for(directory, name, question.rtype);
        }
    }
    let limit = limit_of(context.transport, request.edns);
    let Some(mut writer) = Writer::new(out, targets, &request.header, asked, (request.edns, &mut told), limit) else {
        return Verdict::Drop;
    };
    let flags = match task {
        Ok(Task::Resolve(question)) => {
            let spelled = question.name.as_wire();
            let outcome = resolve(directory, name, spelled, question.rtype, names, &mut writer);
            let Outcome { rcode, authoritative, about: decided_by } = outcome;
            about.name = decided_by;
            // Several classes were asked about, and this is but one of them (RFC 1035 §6.2).
            Flags { rcode, authoritative: authoritative && question.class != CLASS_ANY, why: why_of(rcode) }
        }
        Ok(Task::Tell(text)) => {
            writer.put_text(text);
            Flags { rcode: Rcode::NO_ERROR, authoritative: false, why: None }
        }
        Ok(Task::ExchangeCookies) => {
            let rcode = if *worth == Worth::Invalid { Rcode::BAD_COOKIE } else { Rcode::NO_ERROR };
            Flags { rcode, authoritative: false, why: None }
        }
        Err(Fault { rcode, why }) => Flags { rcode, authoritative: false, why },
    };
    match writer.finish(flags) {
        Some(length) => Verdict::Reply(length, flags.rcode),
        None => Verdict::Drop,
    }
}

/// Why an answer is an error: of those, only that a name is in no zone of ours has more to say.
fn why_of(rcode: Rcode) -> Option<ExtendedError> {
    (rcode == Rcode::REFUSED).then_some(ExtendedError::NOT_AUTHORITATIVE)
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
