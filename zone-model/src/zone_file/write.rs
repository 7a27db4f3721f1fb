//! Writes a zone file.

use crate::{Name, RecordData, RecordType};
use std::fmt;

/// The columns at which the TTL and the data start, where what stands before is not longer.
const OWNER_WIDTH: usize = 24;
const TTL_WIDTH: usize = 7;
const TYPE_WIDTH: usize = 8;

/// Writes records as a zone file, one a line in the order they come: `$ORIGIN`, then owner names relative to `origin` where
/// they are below it, names in data absolute. The same records give the same text, and reading it gives the same records
/// to the octet, the spelling of names included.
///
/// # Errors
/// When `out` fails.
pub fn write<'a>(
    out: &mut impl fmt::Write,
    origin: &Name,
    records: impl IntoIterator<Item = (&'a Name, u32, RecordType, &'a RecordData)>,
) -> fmt::Result {
    writeln!(out, "$ORIGIN {origin}")?;
    for (owner, ttl, rtype, data) in records {
        // Below an origin that is spelled otherwise, a relative name would lose the owner's own spelling.
        let relative = owner.relative_to(origin).filter(|_| owner.as_wire().ends_with(origin.as_wire()));
        let owner = relative.unwrap_or_else(|| owner.to_string());
        let (rtype_text, data) = (rtype.to_string(), data.to_text(rtype));
        writeln!(out, "{owner:<OWNER_WIDTH$} {ttl:<TTL_WIDTH$} IN {rtype_text:<TYPE_WIDTH$} {data}")?;
    }
    Ok(())
}
