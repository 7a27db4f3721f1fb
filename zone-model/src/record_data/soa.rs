//! The fields of a SOA record (RFC 1035 §3.3.13).

use super::{RecordData, RecordDataError};
use crate::{Name, Serial};

/// The data of a SOA record, field by field (RFC 1035 §3.3.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soa {
    /// The zone's primary server.
    pub mname: Name,
    /// The mailbox of who is responsible, its first label the local part.
    pub rname: Name,
    /// The version that secondaries compare (RFC 1982).
    pub serial: Serial,
    /// Seconds until secondaries look again.
    pub refresh: u32,
    /// Seconds until they try again after a failure.
    pub retry: u32,
    /// Seconds after which they give up serving.
    pub expire: u32,
    /// The bound for how long resolvers keep negative answers (RFC 2308 §4).
    pub minimum: u32,
}

impl Soa {
    /// Takes SOA record data apart.
    ///
    /// # Errors
    /// When `data` is not a SOA record's.
    pub fn from_data(data: &RecordData) -> Result<Self, RecordDataError> {
        let wire = data.as_wire();
        let misshapen = |octet, message: &str| RecordDataError::in_wire(octet, message);
        let (mname, rest) = Name::split_wire(wire).map_err(|error| misshapen(0, &error.to_string()))?;
        let start = wire.len() - rest.len();
        let (rname, rest) = Name::split_wire(rest).map_err(|error| misshapen(start, &error.to_string()))?;
        let start = wire.len() - rest.len();
        let ([serial, refresh, retry, expire, minimum], []) = rest.as_chunks::<4>() else {
            return Err(misshapen(start, "expected the five numbers of a SOA record (20 octets)"));
        };
        Ok(Self {
            mname,
            rname,
            serial: Serial(u32::from_be_bytes(*serial)),
            refresh: u32::from_be_bytes(*refresh),
            retry: u32::from_be_bytes(*retry),
            expire: u32::from_be_bytes(*expire),
            minimum: u32::from_be_bytes(*minimum),
        })
    }

    /// Puts record data together.
    #[must_use]
    pub fn to_data(&self) -> RecordData {
        let mut wire = [self.mname.as_wire(), self.rname.as_wire()].concat();
        for number in [self.serial.0, self.refresh, self.retry, self.expire, self.minimum] {
            wire.extend_from_slice(&number.to_be_bytes());
        }
        RecordData(wire.into())
    }
}
