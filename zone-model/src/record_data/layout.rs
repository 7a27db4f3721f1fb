//! Which fields the data of each record type are made of: the one table that everything else walks.

use crate::RecordType;

/// A field of record data. What it is in wire form and in text is decided here once for all types that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// A name that messages may hold compressed (RFC 3597 §4) and that compares without case (RFC 4034 §6.2).
    CompressibleName,
    /// A name that must not be compressed and compares without case (RFC 4034 §6.2).
    Name,
    /// A name that must not be compressed, in a type too new for RFC 4034 §6.2: its canonical form is as spelled.
    VerbatimName,
    /// A number of one octet.
    U8,
    /// A number of two octets.
    U16,
    /// A number of four octets.
    U32,
    /// Four octets of seconds, for which text may use units such as `1h30m`.
    Interval,
    /// A record type of two octets.
    Type,
    /// A DNSSEC algorithm of one octet (RFC 4034 §A.1).
    Algorithm,
    /// A digest type of one octet (RFC 4034 §A.2).
    DigestType,
    /// A certificate type of two octets (RFC 4398 §2.1).
    CertificateType,
    /// Four octets of seconds since 1970, in text a date (RFC 4034 §3.2).
    Time,
    /// An address of four octets.
    Ipv4,
    /// An address of sixteen octets.
    Ipv6,
    /// Six octets with hyphens between them (RFC 7043 §3.2).
    Eui48,
    /// Eight octets with hyphens between them (RFC 7043 §4.2).
    Eui64,
    /// One octet of length and as many octets (RFC 1035 §3.3).
    CharacterString,
    /// One such string or more, to the end.
    CharacterStrings,
    /// A property's tag: one octet of length, then letters and digits (RFC 8659 §4.1).
    Tag,
    /// Octets to the end, in text one quoted string that may be longer than 255; at least so many.
    Text(usize),
    /// Octets to the end, in text base 16; at least so many.
    Hex(usize),
    /// Octets to the end, in text base 64; at least so many.
    Base64(usize),
    /// One octet of length and as many octets, in text base 16, `-` for none (RFC 5155 §3.3).
    Salt,
    /// One octet of length, not 0, and as many octets, in text base 32 hex without padding (RFC 5155 §3.3).
    Hash,
    /// Types as a bitmap, to the end (RFC 4034 §4.1.2).
    TypeBitmap,
    /// A whole LOC record (RFC 1876 §2).
    Loc,
    /// The parameters of SVCB and HTTPS, to the end (RFC 9460 §2.1).
    SvcParams,
}

impl Field {
    /// Whether it is a domain name.
    pub(crate) const fn is_name(self) -> bool {
        matches!(self, Self::CompressibleName | Self::Name | Self::VerbatimName)
    }

    /// How messages call it.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::CompressibleName | Self::Name | Self::VerbatimName => "a domain name",
            Self::U8 => "a number from 0 to 255",
            Self::U16 => "a number from 0 to 65535",
            Self::U32 => "a number from 0 to 4294967295",
            Self::Interval => "seconds, as in 5400 or 1h30m",
            Self::Type => "a record type",
            Self::Algorithm => "a DNSSEC algorithm, by number or name",
            Self::DigestType => "a digest type, by number or name",
            Self::CertificateType => "a certificate type, by number or name",
            Self::Time => "a time as YYYYMMDDHHmmSS or in seconds since 1970",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Eui48 => "six octets like 00-00-5e-00-53-2a",
            Self::Eui64 => "eight octets like 00-00-5e-ef-10-00-00-2a",
            Self::CharacterString => "a character string",
            Self::CharacterStrings => "one character string or more",
            Self::Tag => "a tag of letters and digits",
            Self::Text(_) => "a quoted string",
            Self::Hex(_) => "hexadecimal digits",
            Self::Base64(_) => "base64",
            Self::Salt => "a salt in hexadecimal digits, or `-`",
            Self::Hash => "a hash in base32hex",
            Self::TypeBitmap => "record types",
            Self::Loc => "a location",
            Self::SvcParams => "service parameters",
        }
    }
}

/// The fields of a type's data; none for a type that is not known here, whose data are opaque (RFC 3597).
pub(crate) const fn layout(rtype: RecordType) -> Option<&'static [Field]> {
    use Field::{
        Algorithm, Base64, CertificateType, CharacterString, CharacterStrings, CompressibleName, DigestType, Eui48,
        Eui64, Hash, Hex, Interval, Ipv4, Ipv6, Loc, Name, Salt, SvcParams, Tag, Text, Time, Type, TypeBitmap, U8, U16,
        U32, VerbatimName,
    };
    use RecordType as T;
    Some(match rtype {
        // RFC 1035 §3.3 and §3.4.
        T::A => &[Ipv4],
        T::NS | T::CNAME | T::PTR => &[CompressibleName],
        T::SOA => &[CompressibleName, CompressibleName, U32, Interval, Interval, Interval, Interval],
        T::MX => &[U16, CompressibleName],
        T::HINFO => &[CharacterString, CharacterString],
        // SPF: RFC 7208 §3.1, historic.
        T::TXT | T::SPF => &[CharacterStrings],
        // RFC 1183 §1 and §2.2.
        T::AFSDB => &[U16, Name],
        T::RP => &[Name, Name],
        // RFC 3596 §2.2.
        T::AAAA => &[Ipv6],
        // RFC 1876 §2.
        T::LOC => &[Loc],
        // RFC 2782.
        T::SRV => &[U16, U16, U16, Name],
        // RFC 3403 §4.1.
        T::NAPTR => &[U16, U16, CharacterString, CharacterString, CharacterString, Name],
        // RFC 2230 §3.1.
        T::KX => &[U16, Name],
        // RFC 4398 §2.
        T::CERT => &[CertificateType, U16, Algorithm, Base64(1)],
        // RFC 6672 §2.1.
        T::DNAME => &[Name],
        // RFC 4034 §5.1, RFC 7344 §3.1.
        T::DS | T::CDS => &[U16, Algorithm, DigestType, Hex(1)],
        // RFC 4255 §3.1.
        T::SSHFP => &[U8, U8, Hex(1)],
        // RFC 4034 §3.1.
        T::RRSIG => &[Type, Algorithm, U8, U32, Time, Time, U16, Name, Base64(1)],
        // RFC 4034 §4.1.
        T::NSEC => &[VerbatimName, TypeBitmap],
        // RFC 4034 §2.1, RFC 7344 §3.2.
        T::DNSKEY | T::CDNSKEY => &[U16, U8, Algorithm, Base64(1)],
        // RFC 4701 §3.1: identifier type, digest type, digest.
        T::DHCID => &[Base64(3)],
        // RFC 5155 §3.2 and §4.2.
        T::NSEC3 => &[U8, U8, U16, Salt, Hash, TypeBitmap],
        T::NSEC3PARAM => &[U8, U8, U16, Salt],
        // RFC 6698 §2.1, RFC 8162 §2.
        T::TLSA | T::SMIMEA => &[U8, U8, U8, Hex(1)],
        // RFC 7929 §2.1.
        T::OPENPGPKEY => &[Base64(1)],
        // RFC 7477 §2.1.
        T::CSYNC => &[U32, U16, TypeBitmap],
        // RFC 8976 §2.2: a digest has at least 12 octets.
        T::ZONEMD => &[U32, U8, U8, Hex(12)],
        // RFC 9460 §2.2.
        T::SVCB | T::HTTPS => &[U16, VerbatimName, SvcParams],
        // RFC 7043 §3.1 and §4.1.
        T::EUI48 => &[Eui48],
        T::EUI64 => &[Eui64],
        // RFC 7553 §4: a target is not empty.
        T::URI => &[U16, U16, Text(1)],
        // RFC 8659 §4.1.
        T::CAA => &[U8, Tag, Text(0)],
        _ => return None,
    })
}
