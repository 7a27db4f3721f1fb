//! A group as a file. Pure: octets in, octets out.
//!
//! `HOLDFAST`, the format's version (2), then parts: kind (1), length (4), content. What the content is made of is the history's
//! own stored form, row by row, which is read by the same rules as a row of Postgres. The last part is the BLAKE3 hash of
//! all octets before it, and the file ends with it. All numbers are big-endian.
//!
//! Parts of an unknown kind are stepped over, so that a version before this one reads what this one adds. What it must not step over
//! gets another version of the format.

use crate::snapshot::{Directory, Group, GroupNumber, SerialMark, Zone, ZoneNumber};
use std::io::{self, Write};
use zone_model::{Content, Digest, Generation, Id, Key, Name, SettingValue, Version};

use super::parts::parts;
use super::rows::{self, Rows};
use imbl::OrdMap;
use zone_model::Setting;

/// What files begin with.
pub(super) const MAGIC: &[u8; 8] = b"HOLDFAST";
/// The version of the format.
pub(super) const FORMAT: u16 = 1;
/// Rows are gathered up to this length before they are written as a part.
const ROWS_LENGTH: usize = 1 << 20;

pub(super) const GROUP: u8 = 1;
pub(super) const SETTINGS: u8 = 2;
pub(super) const ZONE: u8 = 3;
pub(super) const ROWS: u8 = 4;
pub(super) const END: u8 = 255;

/// Why a file is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is something else.
    #[error("it is no snapshot of Holdfast's")]
    NoSnapshot,
    /// It is of a version that this program cannot read.
    #[error("it has version {0} of the format, and this program reads version {FORMAT}")]
    OtherVersion(u16),
    /// It ends early, or an octet is not as it was written.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// It is not of the ring that this server follows.
    #[error("it was written by a server in ring {0}")]
    OtherRing(String),
    /// The content does not add up to the digest.
    #[error("its content adds up to {computed}, and it should be {expected}")]
    WrongDigest {
        /// What it should add up to.
        expected: Digest,
        /// What it adds up to.
        computed: Digest,
    },
}

pub(super) fn damaged(what: impl ToString) -> FormatError {
    FormatError::Damaged(what.to_string())
}

/// A group as it was written.
#[derive(Debug)]
pub struct Stored {
    /// The greater, the later it was written.
    pub sequence: u64,
    /// The group's number.
    pub number: GroupNumber,
    /// The group.
    pub group: Group,
    /// Its zones.
    pub zones: Vec<Zone>,
}

/// Writes a group as it is in `directory`.
///
/// # Errors
/// Those of `out`.
pub fn write(
    out: impl Write,
    (ring, sequence): (&str, u64),
    (number, group): (GroupNumber, &Group),
    directory: &Directory,
) -> io::Result<()> {
    let mut out = Hashing { out, hasher: blake3::Hasher::new() };
    out.write_all(MAGIC)?;
    out.write_all(&FORMAT.to_be_bytes())?;
    let mut head = Vec::new();
    put_text(&mut head, ring);
    head.extend_from_slice(&sequence.to_be_bytes());
    head.extend_from_slice(&number.0.to_be_bytes());
    put_text(&mut head, &group.name);
    head.extend_from_slice(&group.version.generation.get().to_be_bytes());
    head.extend_from_slice(group.version.id.as_bytes());
    head.extend_from_slice(group.digest.as_bytes());
    put_part(&mut out, GROUP, &head)?;

    let nowhere = Name::root();
    let mut settings = Vec::new();
    for (setting, value) in &group.settings {
        rows::put(&mut settings, &nowhere, &Key::Setting(*setting), &Content::Setting(value.clone()));
    }
    put_part(&mut out, SETTINGS, &settings)?;
    for (number, name) in &group.zones {
        let Some(zone) = directory.zone(name) else { continue };
        write_zone(&mut out, *number, zone)?;
    }
    let hash = *out.hasher.finalize().as_bytes();
    put_part(&mut out.out, END, &hash)?;
    out.out.flush()
}

fn write_zone(out: &mut impl Write, number: ZoneNumber, zone: &Zone) -> io::Result<()> {
    let mark = zone.serial_mark();
    let generation = |generation: Option<Generation>| generation.map_or(0, Generation::get).to_be_bytes();
    let mut head = Vec::new();
    head.extend_from_slice(&number.0.to_be_bytes());
    head.extend_from_slice(&generation(zone.touched()));
    head.extend_from_slice(&generation(mark.and_then(|mark| mark.set_in)));
    head.extend_from_slice(zone.name().as_wire());
    put_part(out, ZONE, &head)?;
    let mut rows = Vec::with_capacity(ROWS_LENGTH + (64 << 10));
    if let Some(SerialMark { serial, .. }) = mark {
        rows::put(&mut rows, zone.name(), &Key::Serial, &Content::Serial(serial));
    }
    for (key, minimum) in zone.minimums() {
        rows::put(&mut rows, zone.name(), &Key::Guarded(key.clone()), &Content::Minimum(minimum));
    }
    for node in zone.nodes() {
        for set in node.sets() {
            rows::put(&mut rows, zone.name(), &Key::Records(set.key()), &Content::Records(set.clone()));
        }
        if rows.len() >= ROWS_LENGTH {
            put_part(out, ROWS, &rows)?;
            rows.clear();
        }
    }
    if rows.is_empty() { Ok(()) } else { put_part(out, ROWS, &rows) }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u32).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_part(out: &mut impl Write, kind: u8, content: &[u8]) -> io::Result<()> {
    out.write_all(&[kind])?;
    out.write_all(&(content.len() as u32).to_be_bytes())?;
    out.write_all(content)
}

/// Hashes what passes.
struct Hashing<W> {
    out: W,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.out.write(octets)?;
        self.hasher.update(&octets[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads a group that a server in this ring wrote, and checks all of it: each octet against the hash, each row as a row of the
/// history, all rows against the digest, and each zone as before any install.
///
/// # Errors
/// It is not such a file, or damaged anywhere.
pub fn read(file: &[u8], ring: &str) -> Result<Stored, FormatError> {
    let parts = parts(file)?;
    let mut parts = parts.into_iter().peekable();
    let head =
        parts.next().filter(|part| part.kind == GROUP).ok_or_else(|| damaged("it does not begin with a group"))?;
    let mut head = Fields(head.content);
    let of_ring = head.text()?;
    if of_ring != ring {
        return Err(FormatError::OtherRing(of_ring.to_owned()));
    }
    let (sequence, number, name) = (head.number()? as u64, GroupNumber(head.number()?), head.text()?.into());
    let generation = Generation::new(head.number()?).ok_or_else(|| damaged("no such generation"))?;
    let id = head.take(32).and_then(Id::from_bytes).ok_or_else(|| damaged("no id"))?;
    let expected = head.take(32).and_then(Digest::from_bytes).ok_or_else(|| damaged("no digest"))?;
    head.ends()?;

    let (mut computed, mut settings) = (Digest::EMPTY, OrdMap::new());
    let (mut zones, mut numbers) = (Vec::new(), OrdMap::new());
    while let Some(part) = parts.next() {
        match part.kind {
            SETTINGS => {
                for (setting, value, digest) in read_settings(part.content)? {
                    settings.insert(setting, value);
                    computed = computed.plus(digest);
                }
            }
            ZONE => {
                let mut rows = Vec::new();
                while let Some(part) = parts.next_if(|part| part.kind != ZONE && part.kind != SETTINGS) {
                    rows.extend(Some(part.content).filter(|_| part.kind == ROWS));
                }
                let (number, zone, digest) = read_zone(part.content, &rows)?;
                if numbers.insert(number, zone.name().clone()).is_some() {
                    return Err(damaged("a zone is there twice"));
                }
                zones.push(zone);
                computed = computed.plus(digest);
            }
            ROWS => return Err(damaged("rows of no zone")),
            _ => {}
        }
    }
    if computed != expected {
        return Err(FormatError::WrongDigest { expected, computed });
    }
    let group = Group { name, version: Version { generation, id }, digest: expected, zones: numbers, settings };
    Ok(Stored { sequence, number, group, zones })
}

fn read_settings(content: &[u8]) -> Result<Vec<(Setting, SettingValue, Digest)>, FormatError> {
    let nowhere = Name::root();
    let read = |row: Result<(Key, Content), FormatError>| match row? {
        (key @ Key::Setting(setting), content @ Content::Setting(_)) => {
            let digest = key.digest(&nowhere, &content);
            let Content::Setting(value) = content else { return Err(damaged("no setting")) };
            Ok((setting, value, digest))
        }
        _ => Err(damaged("no setting of a group")),
    };
    Rows::new(&nowhere, content).map(read).collect()
}

fn read_zone(head: &[u8], parts: &[&[u8]]) -> Result<(ZoneNumber, Zone, Digest), FormatError> {
    let mut head = Fields(head);
    let (number, touched, set_in) = (ZoneNumber(head.number()?), head.number()?, head.number()?);
    let name = Name::from_wire(head.0).map_err(damaged)?.to_lowercase();
    let touched = Generation::new(touched).ok_or_else(|| damaged("no such generation"))?;
    let (zone, digest) = rows::read_zone(&name, parts, (touched, Generation::new(set_in)))?;
    Ok((number, zone, digest))
}

/// Fields of a part, one after the other.
struct Fields<'f>(&'f [u8]);

impl<'f> Fields<'f> {
    fn take(&mut self, length: usize) -> Option<&'f [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Result<i64, FormatError> {
        let octets =
            self.take(8).and_then(|octets| octets.try_into().ok()).ok_or_else(|| damaged("a number is cut"))?;
        Ok(i64::from_be_bytes(octets))
    }

    fn text(&mut self) -> Result<&'f str, FormatError> {
        let length = self.take(4).and_then(|octets| octets.try_into().ok()).map(u32::from_be_bytes);
        let octets = length.and_then(|length| self.take(length as usize)).ok_or_else(|| damaged("a text is cut"))?;
        str::from_utf8(octets).map_err(damaged)
    }

    fn ends(&self) -> Result<(), FormatError> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged("octets after the last field")) }
    }
}
