//! A file on the server's disk.
//!
//! What is damaged is mostly seen by the hash that a file ends with, and by the digest of its content. So each file is read three
//! times: as it is; with the hash made right; and with hash and digest made right, as only whoever forges one would have it.

use crate::support::reply;
use crate::support::wire::Question;
use server::answer::Transport;
use server::disk::{FormatError, Stored, read, write};
use server::snapshot::Directory;
use zone_model::{Digest, RecordType};

/// The ring in which files are written here.
pub(crate) const RING: &str = "fleet";
const MAGIC: &[u8] = b"HOLDFAST\x00\x01";
const END: u8 = 255;

/// Reads a file, and serves what is in it.
///
/// # Panics
/// What was read is not what can be written again, or cannot be served.
pub fn check(input: &[u8]) {
    let _mostly_damaged = check_file(input);
    let Some(mut file) = sealed(input) else { return };
    if let Err(FormatError::WrongDigest { computed, .. }) = check_file(&file)
        && put_digest(&mut file, &computed).is_some()
        && let Some(file) = sealed(&file)
    {
        let read = check_file(&file);
        assert!(!matches!(read, Err(FormatError::WrongDigest { .. })), "another sum from the same content: {read:?}");
    }
}

fn check_file(file: &[u8]) -> Result<(), FormatError> {
    let stored = read(file, RING)?;
    let (sequence, number, version) = (stored.sequence, stored.number, stored.group.version);
    let (zones, settings) = (stored.group.zones.clone(), stored.group.settings.clone());
    let serials: Vec<_> =
        stored.zones.iter().map(|zone| (zone.name().clone(), zone.serial_mark(), zone.set_count())).collect();
    let directory = directory_of(stored);
    serve(&directory);
    // What is written again says the same; the order of its rows is nobody's matter.
    let group = directory.group(number).unwrap_or_else(|| panic!("the group is not there"));
    let mut again = Vec::new();
    write(&mut again, (RING, sequence), (number, group), &directory).unwrap_or_else(|why| panic!("{why}"));
    let stored = read(&again, RING).unwrap_or_else(|why| panic!("what was written again: {why}"));
    assert_eq!((stored.sequence, stored.number, stored.group.version), (sequence, number, version));
    assert_eq!((&stored.group.zones, &stored.group.settings), (&zones, &settings));
    let again = stored.zones.iter().map(|zone| (zone.name().clone(), zone.serial_mark(), zone.set_count()));
    let mut again: Vec<_> = again.collect();
    let mut serials = serials;
    again.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    serials.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    assert_eq!(again, serials);
    Ok(())
}

fn directory_of(stored: Stored) -> Directory {
    let mut directory = Directory::default();
    let zones = stored.zones.into_iter().map(|zone| (zone.name().clone(), Some(zone))).collect();
    directory.install(stored.number, stored.group, zones);
    directory
}

/// Asks for each of a few names, and for one below it.
fn serve(directory: &Directory) {
    for zone in directory.zones() {
        for node in zone.nodes().take(20) {
            for name in [Some(node.name().clone()), node.name().child(b"x").ok()].into_iter().flatten() {
                let question = Question::new(&name, RecordType::A).to_wire();
                assert!(reply(directory, &question, Transport::Tcp).is_some());
            }
        }
    }
}

/// The file up to its end or to where its parts cannot be followed any more, with the hash that it then has. None if it is
/// nothing like one.
pub(crate) fn sealed(file: &[u8]) -> Option<Vec<u8>> {
    let mut rest = file.strip_prefix(MAGIC)?;
    let mut sealed = MAGIC.to_vec();
    while let Some((&[kind, l1, l2, l3, l4], after)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes([l1, l2, l3, l4]) as usize;
        let Some((_, after)) = after.split_at_checked(length).filter(|_| kind != END) else { break };
        sealed.extend_from_slice(&rest[..5 + length]);
        rest = after;
    }
    let hash = *blake3::hash(&sealed).as_bytes();
    sealed.extend_from_slice(&[END, 0, 0, 0, 32]);
    sealed.extend_from_slice(&hash);
    Some(sealed)
}

/// Puts the digest where the head of the group has it: at its end.
fn put_digest(file: &mut [u8], digest: &Digest) -> Option<()> {
    let (&[_, l1, l2, l3, l4], _) = file.get(MAGIC.len()..)?.split_first_chunk()?;
    let end = MAGIC.len() + 5 + u32::from_be_bytes([l1, l2, l3, l4]) as usize;
    file.get_mut(end.checked_sub(32)?..end)?.copy_from_slice(digest.as_bytes());
    Some(())
}
