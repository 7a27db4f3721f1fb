//! Rows of content in a file, and a zone made of them.
//!
//! A row is: length of the owner (2), the owner relative to the zone as in its column, type (4), covered type (4), length of the
//! value (4), the value as in its column.

use super::format::{FormatError, damaged};
use crate::snapshot::{HashedName, Prepared, SerialMark, Standing, Whole, Zone};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use zone_model::{Content, Digest, Generation, Key, Name, Serial, SetKey};

/// Appends a row.
pub(super) fn put(out: &mut Vec<u8>, zone: &Name, key: &Key, content: &Content) {
    let columns = key.to_columns(zone);
    let value = content.to_value();
    // A name's text has at most 1,004 octets: each of 251 may be escaped by four characters.
    out.extend_from_slice(&(columns.owner.len() as u16).to_be_bytes());
    out.extend_from_slice(columns.owner.as_bytes());
    out.extend_from_slice(&columns.rtype.to_be_bytes());
    out.extend_from_slice(&columns.covered.to_be_bytes());
    out.extend_from_slice(&(value.len() as u32).to_be_bytes());
    out.extend_from_slice(&value);
}

/// The rows of a part.
pub(super) struct Rows<'f> {
    zone: &'f Name,
    rest: &'f [u8],
}

impl<'f> Rows<'f> {
    pub(super) const fn new(zone: &'f Name, rest: &'f [u8]) -> Self {
        Self { zone, rest }
    }

    fn read(&mut self) -> Option<(Key, Result<Content, FormatError>)> {
        let mut take = |length: usize| {
            let (taken, rest) = self.rest.split_at_checked(length)?;
            self.rest = rest;
            Some(taken)
        };
        let length = u16::from_be_bytes(take(2)?.try_into().ok()?);
        let owner = str::from_utf8(take(usize::from(length))?).ok()?;
        let rtype = i32::from_be_bytes(take(4)?.try_into().ok()?);
        let covered = i32::from_be_bytes(take(4)?.try_into().ok()?);
        let length = u32::from_be_bytes(take(4)?.try_into().ok()?);
        let value = take(length as usize)?;
        let key = Key::from_columns(self.zone, owner, rtype, covered).ok()?;
        let content = Content::from_value(&key, value).map_err(damaged);
        Some((key, content))
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<(Key, Content), FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_none() {
            // There is no telling where the next one would begin.
            self.rest = &[];
        }
        let read = read.ok_or_else(|| damaged("a row is none")).and_then(|(key, content)| Ok((key, content?)));
        Some(read)
    }
}

/// What was read of some rows of a zone.
#[derive(Default)]
struct Read {
    prepared: Prepared,
    digest: Digest,
    serial: Option<Serial>,
    guards: Vec<(SetKey, u16)>,
}

fn read_part(zone: &Name, part: &[u8], name: &mut HashedName) -> Result<Read, FormatError> {
    let mut read = Read::default();
    for row in Rows::new(zone, part) {
        let (key, content) = row?;
        read.digest = read.digest.plus(key.digest(zone, &content));
        match (key, content) {
            (Key::Records(key), Content::Records(set)) => read.prepared.add(zone, &key, &set, name),
            (Key::Guarded(key), Content::Minimum(minimum)) => read.guards.push((key, minimum)),
            (Key::Serial, Content::Serial(serial)) => read.serial = Some(serial),
            _ => return Err(damaged("a row that no zone has")),
        }
    }
    Ok(read)
}

/// Reads a zone's rows, by as many threads as there are cores, and judges the zone as before any install.
pub(super) fn read_zone(
    zone: &Name,
    parts: &[&[u8]],
    (touched, set_in): (Generation, Option<Generation>),
) -> Result<(Zone, Digest), FormatError> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(parts.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut name, mut read) = (HashedName::default(), Vec::new());
        while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
            read.push(read_part(zone, part, &mut name)?);
        }
        Ok::<_, FormatError>(read)
    };
    let read: Vec<Read> = if threads <= 1 {
        work()?
    } else {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let ended = threads.into_iter().map(|thread| thread.join().map_err(|_| damaged("reading it panicked"))?);
            ended.collect::<Result<Vec<_>, FormatError>>().map(|all| all.into_iter().flatten().collect())
        })?
    };
    let digest = read.iter().fold(Digest::EMPTY, |sum, read| sum.plus(read.digest));
    let serial = read.iter().find_map(|read| read.serial).map(|serial| SerialMark { serial, set_in });
    let (mut prepared, mut guards) = (Vec::with_capacity(read.len()), Vec::new());
    for read in read {
        prepared.push(read.prepared);
        guards.extend(read.guards);
    }
    let whole = Whole::of(zone, &prepared).map_err(|_| damaged("a record set is there twice"))?;
    let mut zone = Zone::of_whole(zone, whole, guards, (serial, touched));
    if let Some(broken) = zone.broken_guard() {
        return Err(damaged(format!(
            "{} {} is guarded, and has too few records",
            broken.key.owner(),
            broken.key.rtype()
        )));
    }
    match zone.finish().map_err(damaged)? {
        Standing::Stands(zone) => Ok((zone, digest)),
        Standing::Ended => Err(damaged("a zone without records")),
    }
}
