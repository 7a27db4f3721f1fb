//! Master files, read and written (RFC 1035 §5, RFC 2308 §4, `$GENERATE` as BIND has it).
//!
//! Reading holds one entry at a time, however long the file is, and tells every fault with its place. Whether the records
//! make a zone (one SOA, all names inside) is for [`ZoneContents`](crate::ZoneContents) to judge.

mod generate;
mod reader;
mod write;

pub use reader::Reader;
pub use write::write;

use crate::record_data::RecordDataError;
use crate::{Name, RecordData, RecordType};
use std::fmt;
use std::io::BufRead;

/// One record, and where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneFileRecord {
    /// The line it starts on, from 1; for `$GENERATE`, the directive's.
    pub line: u32,
    /// Whose record it is, absolute.
    pub owner: Name,
    /// Seconds that resolvers may keep it.
    pub ttl: u32,
    /// Its type.
    pub rtype: RecordType,
    /// Its data.
    pub data: RecordData,
}

/// Something wrong in a zone file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneFileFault {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// What is expected and what stands there.
    pub message: String,
}

impl fmt::Display for ZoneFileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ZoneFileFault {}

impl From<RecordDataError> for ZoneFileFault {
    fn from(error: RecordDataError) -> Self {
        let (line, column) = (error.line().unwrap_or(1), error.column().unwrap_or(1));
        Self { line, column, message: error.into_message() }
    }
}

/// What a zone file may at most ask for; a few lines of `$GENERATE` can ask for much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records.
    pub records: usize,
    /// Octets of owner names and record data together.
    pub octets: usize,
    /// Faults told; after so many, reading ends with a last one that says so.
    pub faults: usize,
}

/// Ten million records, 1 GiB, a hundred faults.
impl Default for Limits {
    fn default() -> Self {
        Self { records: 10_000_000, octets: 1 << 30, faults: 100 }
    }
}

/// Reads a whole zone file; relative names are below `origin` until an `$ORIGIN`. For text that comes in pieces there is
/// [`Reader`].
///
/// A TTL left out is that of `$TTL` (RFC 2308 §4), else the last one given (RFC 1035 §5.1), else the SOA's minimum. A last
/// SOA equal to the first, as in a zone transfer (RFC 5936 §2.2), is dropped; any other goes to `sink` like every record.
///
/// # Errors
/// All faults in the order of the file, a failure of `source` among them. Then what `sink` was given is not the zone.
pub fn read(
    mut source: impl BufRead,
    origin: &Name,
    limits: Limits,
    sink: &mut dyn FnMut(ZoneFileRecord),
) -> Result<(), Vec<ZoneFileFault>> {
    let mut reader = Reader::new(origin, limits);
    while !reader.is_stopped() {
        let length = match source.fill_buf() {
            Ok([]) => break,
            Ok(chunk) => {
                reader.push(chunk, sink);
                chunk.len()
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => 0,
            // A file that is cut off must never pass for one that ended.
            Err(error) => {
                reader.fail(&format!("reading failed: {error}"));
                break;
            }
        };
        source.consume(length);
    }
    reader.finish(sink)
}
