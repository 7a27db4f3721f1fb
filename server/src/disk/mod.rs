//! What is served, on the local disk: a file for each group, from which a server starts when there is no database to ask.
//!
//! Files are written aside and renamed, so that one is always whole; what is read is checked all over, and whatever is wrong with a
//! file, the group comes from the database then. A file may be some seconds older than what was served: after a start, what the
//! database has is taken in before anything is served, if the database is there.

mod format;
mod parts;
mod rows;
mod writer;

pub use format::{FormatError, Stored, read, write};
pub use writer::{DiskStatus, Writer, serve};

use crate::snapshot::{Directory, GroupNumber};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _};
use std::path::{Path, PathBuf};
use zone_model::{Name, Version};

/// The longest file that is read, in octets. A group of ten million addresses has 600 MB.
const FILE_SIZE_MAX: u64 = 16 << 30;

/// A folder of files, one for each group.
#[derive(Clone, Debug)]
pub struct Disk {
    folder: PathBuf,
    ring: String,
}

/// What was found in it.
#[derive(Debug, Default)]
pub struct Found {
    /// All groups whose files are whole.
    pub directory: Directory,
    /// What is on disk of each group.
    pub versions: HashMap<GroupNumber, Version>,
    /// The greatest sequence of any file.
    pub sequence: u64,
    /// Files that are not used, and why.
    pub refused: Vec<(PathBuf, LoadError)>,
}

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What is in it cannot be used.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Two groups have the zone, and the other one's file is the newer.
    #[error("zone {0} has gone to another group since")]
    ZoneOfAnotherGroup(Name),
}

impl Disk {
    /// The folder, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: &Path, ring: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), ring: ring.to_owned() })
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, group: GroupNumber) -> PathBuf {
        self.folder.join(format!("group-{}.snapshot", group.0))
    }

    /// Reads all that is there.
    ///
    /// # Errors
    /// The folder cannot be read. What is wrong with a file is no error: see [`Found::refused`].
    pub fn load(&self) -> io::Result<Found> {
        let mut found = Found::default();
        let mut all: Vec<(PathBuf, Stored)> = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !name.starts_with("group-") || !name.ends_with(".snapshot") {
                continue;
            }
            match self.load_file(&path) {
                Ok(stored) => all.push((path, stored)),
                Err(why) => found.refused.push((path, why)),
            }
        }
        // A zone may have gone from one group to another while only one of the two was written: the newer file is right.
        all.sort_unstable_by_key(|(_, stored)| std::cmp::Reverse(stored.sequence));
        for (path, Stored { sequence, number, group, zones }) in all {
            found.sequence = found.sequence.max(sequence);
            if let Some(zone) = zones.iter().find(|zone| found.directory.zone(zone.name()).is_some()) {
                found.refused.push((path, LoadError::ZoneOfAnotherGroup(zone.name().clone())));
                continue;
            }
            found.versions.insert(number, group.version);
            let zones = zones.into_iter().map(|zone| (zone.name().clone(), Some(zone))).collect();
            found.directory.install(number, group, zones);
        }
        Ok(found)
    }

    fn load_file(&self, path: &Path) -> Result<Stored, LoadError> {
        let mut octets = Vec::new();
        let mut file = File::open(path)?;
        octets.reserve_exact(usize::try_from(file.metadata()?.len().min(FILE_SIZE_MAX)).unwrap_or(0));
        file.by_ref().take(FILE_SIZE_MAX).read_to_end(&mut octets)?;
        Ok(read(&octets, &self.ring)?)
    }

    /// Writes a group as it is in `directory`: aside, to the disk, and only then under its name.
    ///
    /// # Errors
    /// What stands there already stays.
    pub fn write(&self, group: GroupNumber, directory: &Directory, sequence: u64) -> io::Result<()> {
        let Some(of) = directory.group(group) else { return Ok(()) };
        let path = self.path(group);
        let aside = path.with_extension("new");
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&aside)?);
        write(&mut file, (&self.ring, sequence), (group, of), directory)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&aside, &path)
    }

    /// Has renamed files stay renamed, whatever happens to the machine.
    ///
    /// # Errors
    /// The disk's.
    pub fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}
