//! DNS cookies (RFC 7873) that servers of any make understand, if they share a secret (RFC 9018). A client that sends back what
//! it was sent is at its address.

use siphasher::sip::SipHasher24;
use std::fmt;
use std::net::IpAddr;

/// The client's part (RFC 7873 §4).
const CLIENT_LENGTH: usize = 8;
/// The server's part: version, three reserved octets, time, hash (RFC 9018 §4).
const SERVER_LENGTH: usize = 16;
/// Both parts, as in every reply.
pub(super) const COOKIE_LENGTH: usize = CLIENT_LENGTH + SERVER_LENGTH;
/// The version that is made, and the only one that is known.
const VERSION: u8 = 1;
/// How old a cookie may be, in seconds (RFC 9018 §4.3).
const AGE_MAX: i32 = 60 * 60;
/// How far the clock of another server may be ahead, in seconds (RFC 9018 §4.3).
const AHEAD_MAX: i32 = 5 * 60;
/// From this age on, in seconds, a client is sent another (RFC 9018 §4.3).
const RENEWED_ABOVE: i32 = 30 * 60;

/// A cookie as a client brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    client: [u8; CLIENT_LENGTH],
    server: Server,
}

/// The server's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// The client knows none.
    Absent,
    /// As long as ours are.
    Like([u8; SERVER_LENGTH]),
    /// Of another server.
    Foreign,
}

impl Cookie {
    /// Reads an option's value; none if it has a length that no cookie has (RFC 7873 §4).
    #[inline]
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let (client, server) = value.split_first_chunk()?;
        let server = match server.len() {
            0 => Server::Absent,
            8..=32 => server.try_into().map_or(Server::Foreign, Server::Like),
            _ => return None,
        };
        Some(Self { client: *client, server })
    }

    /// Whether the client brought more than its own part.
    pub(super) fn has_server_part(&self) -> bool {
        self.server != Server::Absent
    }
}

/// What cookies are made of. Whoever knows it can make cookies for any address.
#[derive(Clone)]
pub struct Secret(SipHasher24);

impl Secret {
    /// How many octets a secret has.
    pub const LENGTH: usize = 16;

    /// The secret that these octets are.
    #[must_use]
    pub fn new(octets: &[u8; Self::LENGTH]) -> Self {
        Self(SipHasher24::new_with_key(octets))
    }

    /// The hash over a cookie's other octets and the client's address (RFC 9018 §4.4).
    fn hash(&self, client: [u8; CLIENT_LENGTH], head: [u8; 8], peer: IpAddr) -> [u8; 8] {
        let mut hashed = [0; CLIENT_LENGTH + 8 + 16];
        hashed[..8].copy_from_slice(&client);
        hashed[8..16].copy_from_slice(&head);
        let length = match peer {
            IpAddr::V4(peer) => {
                hashed[16..20].copy_from_slice(&peer.octets());
                20
            }
            IpAddr::V6(peer) => {
                hashed[16..].copy_from_slice(&peer.octets());
                32
            }
        };
        self.0.hash(&hashed[..length]).to_le_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Makes cookies, and knows its own again.
#[derive(Clone, Debug)]
pub struct Cookies {
    makes: Secret,
    also_known: Box<[Secret]>,
}

impl Cookies {
    /// Makes cookies with one secret, and knows those that are made with others as well: while a secret follows another on
    /// many servers (RFC 9018 §5).
    #[must_use]
    pub fn new(makes: Secret, also_known: Vec<Secret>) -> Self {
        Self { makes, also_known: also_known.into() }
    }

    /// The cookie to reply with, and whether this one was valid.
    pub(super) fn judge(&self, cookie: &Cookie, peer: IpAddr, now: u32) -> ([u8; COOKIE_LENGTH], bool) {
        let Cookie { client, server } = cookie;
        if let Server::Like(server) = server
            && let Some(age) = age_of(server, now)
        {
            let [head, hash] = halves(server);
            // Compared as numbers, which takes the same time wherever they differ.
            let is_of =
                |secret: &Secret| u64::from_ne_bytes(secret.hash(*client, head, peer)) == u64::from_ne_bytes(hash);
            let is_own = is_of(&self.makes);
            if is_own && age <= RENEWED_ABOVE && head[..4] == [VERSION, 0, 0, 0] {
                return (join(*client, *server), true);
            }
            let is_valid = is_own || self.also_known.iter().any(is_of);
            return (self.make(*client, peer, now), is_valid);
        }
        (self.make(*client, peer, now), false)
    }

    fn make(&self, client: [u8; CLIENT_LENGTH], peer: IpAddr, now: u32) -> [u8; COOKIE_LENGTH] {
        let [t1, t2, t3, t4] = now.to_be_bytes();
        let head = [VERSION, 0, 0, 0, t1, t2, t3, t4];
        let mut server = [0; SERVER_LENGTH];
        server[..8].copy_from_slice(&head);
        server[8..].copy_from_slice(&self.makes.hash(client, head, peer));
        join(client, server)
    }
}

/// How old a cookie says that it is, in seconds; none if that is too old, too young, or said in another version. Times go round
/// in circles (RFC 1982), so that the year 2106 is no end.
fn age_of(server: &[u8; SERVER_LENGTH], now: u32) -> Option<i32> {
    let [version, _, _, _, t1, t2, t3, t4, ..] = *server;
    let age = now.wrapping_sub(u32::from_be_bytes([t1, t2, t3, t4])).cast_signed();
    (version == VERSION && (-AHEAD_MAX..=AGE_MAX).contains(&age)).then_some(age)
}

/// What is hashed, and the hash.
fn halves(server: &[u8; SERVER_LENGTH]) -> [[u8; 8]; 2] {
    let (mut head, mut hash) = ([0; 8], [0; 8]);
    head.copy_from_slice(&server[..8]);
    hash.copy_from_slice(&server[8..]);
    [head, hash]
}

fn join(client: [u8; CLIENT_LENGTH], server: [u8; SERVER_LENGTH]) -> [u8; COOKIE_LENGTH] {
    let mut cookie = [0; COOKIE_LENGTH];
    cookie[..CLIENT_LENGTH].copy_from_slice(&client);
    cookie[CLIENT_LENGTH..].copy_from_slice(&server);
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets<const N: usize>(hex: &str) -> [u8; N] {
        hex::decode(hex).unwrap().try_into().unwrap()
    }

    fn cookies(secrets: &[&str]) -> Cookies {
        let mut secrets = secrets.iter().map(|secret| Secret::new(&octets(secret)));
        Cookies::new(secrets.next().unwrap(), secrets.collect())
    }

    /// The reply to a cookie, and whether that was valid.
    fn judged(secrets: &[&str], cookie: &str, peer: &str, now: u32) -> (String, bool) {
        let cookie = Cookie::read(&hex::decode(cookie).unwrap()).unwrap();
        let (reply, is_valid) = cookies(secrets).judge(&cookie, peer.parse().unwrap(), now);
        (hex::encode(reply), is_valid)
    }

    /// RFC 9018, appendix A, where the first three have one secret.
    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    const FIRST: &str = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
    const CLIENT: &str = "198.51.100.100";
    const BEGAN: u32 = 1_559_731_985;

    /// RFC 9018, appendix A.1.
    #[test]
    fn a_client_learns_a_cookie() {
        assert_eq!(judged(&[SECRET], "2464c4abcf10c957", CLIENT, BEGAN), (FIRST.to_owned(), false));
    }

    /// RFC 9018, appendix A.2.
    #[test]
    fn an_old_cookie_is_renewed() {
        let renewed = "2464c4abcf10c957010000005cf7a871d4a564a1442aca77";
        assert_eq!(judged(&[SECRET], FIRST, CLIENT, 1_559_734_385), (renewed.to_owned(), true));
    }

    /// RFC 9018, appendix A.3: reserved octets are hashed as they are, and cleared in what is sent. Its cookie is older than
    /// an hour when it comes, so what it was worth is asked at its own time as well.
    #[test]
    fn reserved_octets_are_hashed_and_not_sent_again() {
        let (brought, peer) = ("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", "203.0.113.203");
        let renewed = "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e";
        assert_eq!(judged(&[SECRET], brought, peer, 1_559_734_700), (renewed.to_owned(), false));
        let (at_its_time, is_valid) = judged(&[SECRET], brought, peer, 1_559_727_985);
        assert!(is_valid && at_its_time.starts_with("fc93fc62807ddb86010000005cf78f71"), "{at_its_time}");
    }

    /// RFC 9018, appendix A.4: over IPv6, with a secret that follows another.
    #[test]
    fn a_cookie_of_the_secret_before_is_valid_and_replaced() {
        let (new, old) = ("445536bcd2513298075a5d379663c962", "dd3bdf9344b678b185a6f5cb60fca715");
        let (brought, peer) =
            ("22681ab97d52c298010000005cf7c57926556bd0934c72f8", "2001:db8:220:1:59de:d0f4:8769:82b8");
        let renewed = "22681ab97d52c298010000005cf7c609a6bb79d16625507a".to_owned();
        assert_eq!(judged(&[new, old], brought, peer, 1_559_741_961), (renewed.clone(), true));
        assert_eq!(judged(&[new], brought, peer, 1_559_741_961), (renewed, false), "that secret is forgotten");
    }

    #[test]
    fn a_cookie_is_valid_for_an_hour_and_sent_again_for_half_of_it() {
        let at = |now: u32| {
            let (reply, is_valid) = judged(&[SECRET], FIRST, CLIENT, now);
            (is_valid, reply == FIRST)
        };
        assert_eq!(at(BEGAN), (true, true));
        assert_eq!(at(BEGAN + 1800), (true, true));
        assert_eq!(at(BEGAN + 1801), (true, false));
        assert_eq!(at(BEGAN + 3600), (true, false));
        assert_eq!(at(BEGAN + 3601), (false, false));
        // By a clock that is behind.
        assert_eq!(at(BEGAN - 300), (true, true));
        assert_eq!(at(BEGAN - 301), (false, false));
        // Half a circle away is no time at all.
        assert_eq!(at(BEGAN.wrapping_add(1 << 31)), (false, false));
    }

    #[test]
    fn times_go_round_in_circles() {
        let (last, _) = judged(&[SECRET], "2464c4abcf10c957", CLIENT, u32::MAX - 10);
        assert_eq!(judged(&[SECRET], &last, CLIENT, 20), (last.clone(), true));
        assert!(!judged(&[SECRET], &last, CLIENT, 3600).1);
    }

    #[test]
    fn a_cookie_is_good_for_one_client_at_one_address_only() {
        assert!(judged(&[SECRET], FIRST, CLIENT, BEGAN).1);
        assert!(!judged(&[SECRET], FIRST, "198.51.100.101", BEGAN).1);
        assert!(!judged(&[SECRET], FIRST, "::ffff:198.51.100.100", BEGAN).1);
        assert!(!judged(&["00000000000000000000000000000000"], FIRST, CLIENT, BEGAN).1);
        // Any bit that is another is another cookie.
        for bit in 0..COOKIE_LENGTH * 8 {
            let mut spoilt: [u8; COOKIE_LENGTH] = octets(FIRST);
            spoilt[bit / 8] ^= 1 << (bit % 8);
            assert!(!judged(&[SECRET], &hex::encode(spoilt), CLIENT, BEGAN).1, "bit {bit}");
        }
    }

    #[test]
    fn a_foreign_cookie_is_none_of_ours() {
        for length in [8, 15, 17, 32] {
            let foreign = format!("2464c4abcf10c957{}", "01".repeat(length));
            assert_eq!(judged(&[SECRET], &foreign, CLIENT, BEGAN), (FIRST.to_owned(), false));
        }
        for length in [0, 1, 7, 9, 15, 41, 100] {
            assert_eq!(Cookie::read(&vec![1; length]), None, "{length}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", cookies(&[SECRET, SECRET]));
        assert_eq!(shown, "Cookies { makes: Secret(..), also_known: [Secret(..)] }");
    }
}
