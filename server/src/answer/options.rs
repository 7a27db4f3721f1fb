//! Options of an OPT record (RFC 6891 §6.1.2): what those of a request say, and what those of its reply tell.

use super::cookies::{COOKIE_LENGTH, Cookie};
use super::request::Edns;
use super::{Context, Transport};
use zone_model::Version;

/// Who of several servers answers (RFC 5001).
const NSID: u16 = 3;
/// DNS cookies (RFC 7873).
const COOKIE: u16 = 10;
/// How long a TCP connection may be silent (RFC 7828).
const TCP_KEEPALIVE: u16 = 11;
/// Why there is an error (RFC 8914).
const EXTENDED_ERROR: u16 = 15;
/// The option by which a client asks which generation an answer was made from, and is told (docs/decisions/0012). It is
/// one of those for local use (RFC 6891 §9).
pub const GENERATION_OPTION: u16 = 65042;

/// What stands before each option's value: its code and its length.
const HEAD_LENGTH: usize = 4;
/// The generation's option: a number of 8 octets, an id of 32.
const GENERATION_LENGTH: usize = 8 + 32;

/// What the options of a request say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) cookie: Brought,
    pub(super) generation: bool,
    nsid: bool,
    keepalive: Keepalive,
}

/// The cookie that a request brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Brought {
    #[default]
    Nothing,
    Cookie(Cookie),
    /// Of no length that a cookie can have.
    Malformed,
}

/// Whether a client wants to know how long its connection may be silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Keepalive {
    #[default]
    Unasked,
    Asked,
    /// With a time, which only servers may tell.
    Malformed,
}

impl Wishes {
    /// Reads options; none if these are not any. Those that are not known are ignored, whatever they say (RFC 6891 §6.1.2).
    #[inline]
    pub(super) fn read(mut data: &[u8]) -> Option<Self> {
        let mut wishes = Self::default();
        while !data.is_empty() {
            let (&[c1, c2, l1, l2], rest) = data.split_first_chunk::<HEAD_LENGTH>()?;
            let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l1, l2])))?;
            match u16::from_be_bytes([c1, c2]) {
                // Of several the first counts (RFC 7873 §5.2).
                COOKIE if wishes.cookie == Brought::Nothing => {
                    wishes.cookie = Cookie::read(value).map_or(Brought::Malformed, Brought::Cookie);
                }
                // Whatever it holds (RFC 5001 §2.1).
                NSID => wishes.nsid = true,
                TCP_KEEPALIVE if value.is_empty() => wishes.keepalive = Keepalive::Asked,
                TCP_KEEPALIVE => wishes.keepalive = Keepalive::Malformed,
                GENERATION_OPTION if value.is_empty() => wishes.generation = true,
                // Who puts something into ours means something that we do not know.
                GENERATION_OPTION => return None,
                _ => {}
            }
            data = rest;
        }
        Some(wishes)
    }

    /// Whether they can be granted without a second look.
    #[inline]
    pub(super) fn are_plain(&self) -> bool {
        !self.generation && self.cookie != Brought::Malformed && self.keepalive != Keepalive::Malformed
    }

    /// Whether something is said wrongly that this server would listen to.
    pub(super) fn are_malformed(&self, context: &Context<'_>) -> bool {
        // RFC 7873 §5.2.2. Without cookies the option is one of those that are not known.
        let cookie = self.cookie == Brought::Malformed && context.options.cookies.is_some();
        // A request says no time (RFC 7828 §3.2.1). Over UDP the option is ignored (§3.3.1).
        cookie || (self.keepalive == Keepalive::Malformed && context.transport == Transport::Tcp)
    }
}

/// What the OPT record of a reply tells beside itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'t> {
    pub(super) cookie: Option<[u8; COOKIE_LENGTH]>,
    pub(super) generation: Option<Version>,
    nsid: Option<&'t [u8]>,
    /// In units of 100 ms.
    keepalive: Option<u16>,
}

impl<'t> Told<'t> {
    pub(super) const NOTHING: Self = Self { cookie: None, generation: None, nsid: None, keepalive: None };

    /// What is told to who wishes so; and what the cookie was worth. The generation is for the caller to find out.
    #[inline]
    pub(super) fn to(edns: Option<&Edns>, context: &Context<'t>) -> (Self, Worth) {
        match edns {
            Some(edns) if edns.wishes != Wishes::default() => Self::by(&edns.wishes, context),
            _ => (Self::NOTHING, Worth::Nothing),
        }
    }

    fn by(wishes: &Wishes, context: &Context<'t>) -> (Self, Worth) {
        let options = context.options;
        let (mut told, mut worth) = (Self::NOTHING, Worth::Nothing);
        if let (Brought::Cookie(cookie), Some(cookies)) = (&wishes.cookie, &options.cookies) {
            let (reply, is_valid) = cookies.judge(cookie, context.peer, context.now);
            told.cookie = Some(reply);
            worth = match is_valid {
                true => Worth::Valid,
                false if cookie.has_server_part() => Worth::Invalid,
                false => Worth::Nothing,
            };
        }
        told.nsid = options.nsid.as_deref().filter(|_| wishes.nsid);
        let asks = wishes.keepalive == Keepalive::Asked && context.transport == Transport::Tcp;
        told.keepalive = options.keepalive.filter(|_| asks);
        (told, worth)
    }

    /// How many octets the options have.
    #[inline]
    pub(super) fn length(&self) -> usize {
        let of = |length: Option<usize>| length.map_or(0, |length| HEAD_LENGTH + length);
        of(self.cookie.map(|_| COOKIE_LENGTH))
            + of(self.generation.map(|_| GENERATION_LENGTH))
            + of(self.nsid.map(<[u8]>::len))
            + of(self.keepalive.map(|_| 2))
    }

    /// Leaves out what does not fit into `room`; what is more important is looked at first.
    #[cold]
    pub(super) fn fit(&mut self, room: usize) {
        let all = std::mem::replace(self, Self::NOTHING);
        for add in [
            |told: &mut Self, all: &Self| told.cookie = all.cookie,
            |told: &mut Self, all: &Self| told.generation = all.generation,
            |told: &mut Self, all: &Self| told.nsid = all.nsid,
            |told: &mut Self, all: &Self| told.keepalive = all.keepalive,
        ] {
            let before = *self;
            add(self, &all);
            if self.length() > room {
                *self = before;
            }
        }
    }

    /// Writes the options in their order; `put` writes the value of each in two pieces.
    #[inline]
    pub(super) fn write(&self, mut put: impl FnMut(u16, &[u8], &[u8]) -> Option<()>) -> Option<()> {
        if let Some(cookie) = &self.cookie {
            put(COOKIE, cookie, &[])?;
        }
        if let Some(Version { generation, id }) = &self.generation {
            put(GENERATION_OPTION, &generation.get().to_be_bytes(), id.as_bytes())?;
        }
        if let Some(nsid) = self.nsid {
            put(NSID, nsid, &[])?;
        }
        if let Some(keepalive) = self.keepalive {
            put(TCP_KEEPALIVE, &keepalive.to_be_bytes(), &[])?;
        }
        Some(())
    }
}

/// What the cookie of a request is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// There was none, or only the client's part.
    Nothing,
    /// The server's part is not one of ours, is for another address, or is too old.
    Invalid,
    /// The client is at its address: it was sent this cookie there.
    Valid,
}

/// Why there is an error (RFC 8914): a code, and a text where that does not say enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ExtendedError(u16, &'static str);

impl ExtendedError {
    /// RFC 8914 §4.15.
    pub(super) const NOT_READY: Self = Self(14, "");
    /// §4.19.
    pub(super) const PROHIBITED: Self = Self(18, "");
    /// §4.21.
    pub(super) const NOT_AUTHORITATIVE: Self = Self(20, "");
    /// §4.22.
    pub(super) const NOT_SUPPORTED: Self = Self(21, "");
    pub(super) const NO_SUCH_CLASS: Self = Self(21, "class IN only");
    pub(super) const NO_TRANSFERS: Self = Self(21, "no zone transfers");

    pub(super) const fn length(self) -> usize {
        HEAD_LENGTH + 2 + self.1.len()
    }

    pub(super) fn write(self, mut put: impl FnMut(u16, &[u8], &[u8]) -> Option<()>) -> Option<()> {
        put(EXTENDED_ERROR, &self.0.to_be_bytes(), self.1.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each is left out before what is more important, and all that has room stays.
    #[test]
    fn the_least_important_gives_way_first() {
        let version = Version { generation: zone_model::Generation::new(1).unwrap(), id: zone_model::Id::GENESIS };
        let all = Told { cookie: Some([7; 24]), generation: Some(version), nsid: Some(b"ns1"), keepalive: Some(9) };
        assert_eq!(all.length(), 28 + 44 + 7 + 6);
        let left = |room| {
            let mut told = all;
            told.fit(room);
            assert!(told.length() <= room);
            [told.cookie.is_some(), told.generation.is_some(), told.nsid.is_some(), told.keepalive.is_some()]
        };
        assert_eq!(left(85), [true; 4]);
        assert_eq!(left(84), [true, true, true, false]);
        assert_eq!(left(78), [true, true, false, true], "a shorter one may have room where a longer has none");
        assert_eq!(left(77), [true, true, false, false]);
        assert_eq!(left(71), [true, false, true, true]);
        assert_eq!(left(28), [true, false, false, false]);
        assert_eq!(left(0), [false; 4]);
    }
}
