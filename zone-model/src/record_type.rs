//! Record types, known by name or by number (RFC 1035 §3.2.2, RFC 3597 §5).

use std::fmt;
use std::str::FromStr;

/// A record type's number, as in the registry of DNS parameters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(pub u16);

macro_rules! record_types {
    ($($name:ident = $number:literal,)*) => {
        impl RecordType {
            $(#[doc = concat!("Type ", stringify!($number), ".")] pub const $name: Self = Self($number);)*

            /// Every type that has a name here.
            pub const NAMED: &[Self] = &[$(Self::$name,)*];

            fn mnemonic(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            fn from_mnemonic(text: &str) -> Option<Self> {
                $(if text.eq_ignore_ascii_case(stringify!($name)) { return Some(Self::$name); })*
                None
            }
        }
    };
}

record_types! {
    A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, HINFO = 13, MX = 15, TXT = 16, RP = 17, AFSDB = 18, AAAA = 28,
    LOC = 29, SRV = 33, NAPTR = 35, KX = 36, CERT = 37, DNAME = 39, OPT = 41, DS = 43, SSHFP = 44, RRSIG = 46,
    NSEC = 47, DNSKEY = 48, DHCID = 49, NSEC3 = 50, NSEC3PARAM = 51, TLSA = 52, SMIMEA = 53, CDS = 59, CDNSKEY = 60,
    OPENPGPKEY = 61, CSYNC = 62, ZONEMD = 63, SVCB = 64, HTTPS = 65, SPF = 99, EUI48 = 108, EUI64 = 109, TKEY = 249,
    TSIG = 250, IXFR = 251, AXFR = 252, MAILB = 253, MAILA = 254, ANY = 255, URI = 256, CAA = 257,
}

impl RecordType {
    /// Whether records of this type can stand in a zone. Type 0, OPT and the question-only types 128 to 255
    /// (RFC 6895 §3.1) cannot; EUI48 and EUI64 stand below that range.
    #[must_use]
    pub const fn is_data(self) -> bool {
        !matches!(self.0, 0 | 41 | 128..=255)
    }
}

/// `A`, or `TYPE65280` where there is no name.
impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mnemonic() {
            Some(name) => f.pad(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl fmt::Debug for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no record type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a record type; write a name like `AAAA`, or `TYPE65280`")]
pub struct UnknownRecordType(pub String);

impl FromStr for RecordType {
    type Err = UnknownRecordType;

    fn from_str(text: &str) -> Result<Self, UnknownRecordType> {
        if let Some(named) = Self::from_mnemonic(text) {
            return Ok(named);
        }
        let number = text.get(..4).filter(|start| start.eq_ignore_ascii_case("TYPE")).and_then(|_| text.get(4..));
        number
            .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .map(Self)
            .ok_or_else(|| UnknownRecordType(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_go_both_ways() {
        for &known in RecordType::NAMED {
            assert_eq!(known.to_string().parse(), Ok(known));
            assert_eq!(format!("type{}", known.0).parse(), Ok(known));
        }
        assert_eq!("TYPE65280".parse(), Ok(RecordType(65280)));
        assert_eq!(RecordType(65280).to_string(), "TYPE65280");
        for bad in ["", "TYPE", "TYPE65536", "TYPE-1", "TYPE+1", "BOGUS", "ÄÄÄÄ1"] {
            assert!(bad.parse::<RecordType>().is_err(), "{bad}");
        }
    }

    #[test]
    fn question_only_types_are_no_data() {
        for no in [RecordType::OPT, RecordType::ANY, RecordType::AXFR, RecordType::TSIG, RecordType(0)] {
            assert!(!no.is_data(), "{no}");
        }
        for yes in [RecordType::A, RecordType::EUI64, RecordType::URI, RecordType(65280)] {
            assert!(yes.is_data(), "{yes}");
        }
    }
}
