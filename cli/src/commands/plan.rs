//! `holdfast plan`: posts a plan.

use std::path::PathBuf;

use super::import::open;
use super::outcome::Admission;
use super::{CommandError, Connection};
use crate::api_client::encoded;

/// Posts a plan, as JSON: {"base": 41, "reason": "…", "zones": {"example.com.": {"upsert": […], "delete": […]}}}
///
/// A zone's change is any of "upsert", "delete", "guard" ([{"name": "api", "type": "A", "min": 2}]) and "unguard"; or "replace"
/// with the whole zone; or "end": true. Settings of the group stand beside "zones": {"settings": {"deleted-share":
/// {"at_least": 5, "percent": 20}, "references": false, "closed": null}}. A guard that is not to apply to this plan:
/// {"acknowledge": [{"guard": "deleted-share", "reason": "…"}]}. The API's /openapi.json has all of it.
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
