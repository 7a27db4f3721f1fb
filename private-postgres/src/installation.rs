//! Finds the programs of Postgres on this machine.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// The oldest major version that Holdfast runs on.
pub const MAJOR_MIN: u32 = 15;

/// Folders that hold one folder per major version, each with a `bin`.
const VERSIONED: [&str; 3] = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"];

/// A set of Postgres programs of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    major: u32,
    programs: PathBuf,
}

impl Installation {
    /// Every installation that is new enough, the newest first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut found: Vec<Self> = candidates().into_iter().filter_map(|folder| Self::at(&folder)).collect();
        found.sort_by_key(|installation| std::cmp::Reverse(installation.major));
        found
    }

    /// The one for a cluster's directory: the version that made it, or the newest when there is no cluster yet.
    ///
    /// # Errors
    /// When none, or none of the version that made the cluster, is installed.
    pub fn for_cluster(data: &Path) -> Result<Self, Error> {
        let all = Self::all();
        let made_by = fs::read_to_string(data.join("PG_VERSION")).ok().and_then(|text| text.trim().parse::<u32>().ok());
        match made_by {
            None => all.into_iter().next().ok_or(Error::NotInstalled { least: MAJOR_MIN }),
            Some(made_by) => {
                let found = all.iter().map(|one| one.major.to_string()).collect::<Vec<_>>().join(", ");
                let found = if found.is_empty() { "none".to_owned() } else { found };
                all.into_iter().find(|one| one.major == made_by).ok_or_else(|| Error::OtherVersion {
                    data: data.to_owned(),
                    made_by,
                    found,
                })
            }
        }
    }

    /// The major version.
    #[must_use]
    pub const fn major(&self) -> u32 {
        self.major
    }

    /// The path of one of its programs.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// What stands in a folder, if it is a server's and new enough.
    fn at(programs: &Path) -> Option<Self> {
        if !programs.join("initdb").is_file() {
            return None;
        }
        let answer = Command::new(programs.join("postgres")).arg("--version").output().ok()?;
        let major = major_of(&String::from_utf8_lossy(&answer.stdout))?;
        (major >= MAJOR_MIN).then(|| Self { major, programs: programs.to_owned() })
    }
}

/// "postgres (PostgreSQL) 15.18 (Debian …)" is 15; so are "15beta1" and "15devel".
fn major_of(said: &str) -> Option<u32> {
    let version = said.split_once(") ")?.1;
    let digits = version.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}

fn candidates() -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    if let Ok(answer) = Command::new("pg_config").arg("--bindir").output() {
        folders.insert(PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim()));
    }
    for versions in VERSIONED {
        for entry in fs::read_dir(versions).into_iter().flatten().flatten() {
            if versions.ends_with("postgresql") || entry.file_name().to_string_lossy().starts_with("postgresql") {
                folders.insert(entry.path().join("bin"));
            }
        }
    }
    for entry in fs::read_dir("/usr").into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("pgsql") {
            folders.insert(entry.path().join("bin"));
        }
    }
    folders.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    folders
}

#[cfg(test)]
mod tests {
    use super::major_of;

    #[test]
    fn versions_are_read_as_postgres_prints_them() {
        for (said, major) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 17beta1\n", Some(17)),
            ("postgres (PostgreSQL) 18\n", Some(18)),
            ("nothing of the kind", None),
        ] {
            assert_eq!(major_of(said), major, "{said}");
        }
    }
}
