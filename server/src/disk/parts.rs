//! A file's parts, once its hash is right.

use super::format::{END, FORMAT, FormatError, MAGIC, damaged};

/// One part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'f> {
    pub(super) kind: u8,
    pub(super) content: &'f [u8],
}

/// Cuts a file into its parts, the last one not among them.
///
/// # Errors
/// It is no such file, or not whole.
pub(super) fn parts(file: &[u8]) -> Result<Vec<Part<'_>>, FormatError> {
    let rest = file.strip_prefix(MAGIC).ok_or(FormatError::NoSnapshot)?;
    let (version, mut rest) = rest.split_first_chunk().ok_or_else(|| damaged("it is cut"))?;
    let version = u16::from_be_bytes(*version);
    if version != FORMAT {
        return Err(FormatError::OtherVersion(version));
    }
    let mut parts = Vec::new();
    loop {
        let before = file.len() - rest.len();
        let (&[kind, l1, l2, l3, l4], after) = rest.split_first_chunk().ok_or_else(|| damaged("it is cut"))?;
        let length = u32::from_be_bytes([l1, l2, l3, l4]) as usize;
        let (content, after) = after.split_at_checked(length).ok_or_else(|| damaged("it is cut"))?;
        if kind == END {
            let hash = blake3::hash(&file[..before]);
            if !after.is_empty() || hash.as_bytes() != content {
                return Err(damaged("its hash is another"));
            }
            return Ok(parts);
        }
        parts.push(Part { kind, content });
        rest = after;
    }
}
