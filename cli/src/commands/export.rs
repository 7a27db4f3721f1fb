//! `holdfast export`: a zone as a zone file.

use std::io::Read as _;

use super::{CommandError, Connection};
use crate::api_client::zone_in_path;
use crate::terminal::put;

/// Prints a zone as a zone file.
#[derive(Clone, Debug, clap::Args)]
pub struct Export {
    /// The zone, with or without its last dot; the root is `.`.
    zone: String,
    /// A generation of the zone's group, instead of the tip.
    #[arg(long, value_name = "GENERATION")]
    at: Option<u64>,
}

impl Export {
    /// Prints it, piece by piece.
    ///
    /// # Errors
    /// When the API refuses, does not answer, or breaks off.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let at = self.at.map(|generation| format!("?at={generation}")).unwrap_or_default();
        let path = format!("/v1/zones/{}/file{at}", zone_in_path(&self.zone));
        let mut text = connection.client()?.get_stream(&path)?;
        let mut piece = vec![0; 64 * 1024];
        loop {
            match text.read(&mut piece).map_err(CommandError::system("read the zone to its end"))? {
                0 => return Ok(()),
                length => put(&piece[..length]).map_err(CommandError::system("print the zone"))?,
            }
        }
    }
}
