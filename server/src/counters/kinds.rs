//! The kinds of queries and replies that are counted by themselves: what is usual, so that nobody can make the list longer by
//! asking for something else.

use zone_model::RecordType;

/// Response codes; greater ones count as the last.
pub(super) const RCODES: usize = 18;
/// Types; all others count as the last.
pub(super) const TYPES: usize = TYPES_TOLD.len() + 2;

/// The names of the response codes, in order; of those above BADVERS only the last is ever sent.
pub const RCODE_NAMES: [&str; RCODES] = [
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
    "RCODE11",
    "RCODE12",
    "RCODE13",
    "RCODE14",
    "RCODE15",
    "BADVERS",
    "BADCOOKIE",
];

const TYPES_TOLD: [(u16, &str); 23] = [
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (12, "PTR"),
    (15, "MX"),
    (16, "TXT"),
    (28, "AAAA"),
    (33, "SRV"),
    (35, "NAPTR"),
    (39, "DNAME"),
    (43, "DS"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (50, "NSEC3"),
    (52, "TLSA"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (251, "IXFR"),
    (252, "AXFR"),
    (255, "ANY"),
    (257, "CAA"),
];

/// The names of the types, in the order of their places.
pub const TYPE_NAMES: [&str; TYPES] = {
    let mut names = ["other"; TYPES];
    let mut place = 0;
    while place < TYPES_TOLD.len() {
        names[place] = TYPES_TOLD[place].1;
        place += 1;
    }
    // Packets without a question that can be read.
    names[TYPES - 2] = "none";
    names
};

/// For each number up to the greatest that is told, its place.
const PLACES: [u8; 258] = {
    let mut places = [(TYPES - 1) as u8; 258];
    places[0] = (TYPES - 2) as u8;
    let mut place = 0;
    while place < TYPES_TOLD.len() {
        places[TYPES_TOLD[place].0 as usize] = place as u8;
        place += 1;
    }
    places
};

/// Where a type is counted.
#[inline]
pub(super) fn place_of(rtype: RecordType) -> usize {
    PLACES.get(usize::from(rtype.0)).map_or(TYPES - 1, |place| usize::from(*place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_place_and_its_own_name() {
        for (number, name) in TYPES_TOLD {
            assert_eq!(TYPE_NAMES[place_of(RecordType(number))], name);
            assert_eq!(RecordType(number).to_string(), name);
        }
        for number in [3, 4, 17, 254, 256, 258, 1000, u16::MAX] {
            assert_eq!(TYPE_NAMES[place_of(RecordType(number))], "other", "{number}");
        }
        assert_eq!(TYPE_NAMES[place_of(RecordType(0))], "none");
    }
}
