//! `holdfast plan`: posts a plan.

use std::path::PathBuf;

use super::import::open;
use super::outcome::Admission;
use super::{CommandError, Connection};
use crate::api_client::encoded;

/// Posts a plan, as JSON: {"base": 41, "reason": "…", "zones": {"example.com.": {"upsert": […], "delete": […]}}}
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// The group; a new one is begun with base 0.
    group: String,
    /// The plan; `-` is standard input.
    file: PathBuf,
    #[command(flatten)]
    admission: Admission,
}

impl Plan {
    /// Sends it.
    ///
    /// # Errors
    /// When the file cannot be read, or the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let parameters = self.admission.parameters();
        let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
        let path = format!("/v1/groups/{}/plans{query}", encoded(&self.group));
        let told = connection.client()?.post_stream(&path, "application/json", &mut open(&self.file)?)?;
        self.admission.tell(&told)
    }
}
