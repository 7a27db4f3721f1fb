//! Which API, and as whom.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::CommandError;
use crate::api_client::{ApiClient, encoded};

/// Where the token is unless somebody says otherwise: as `holdfast up` leaves it.
const TOKEN_FILE: &str = "./.holdfast/admin-token";

// The API's address, and the token to show it. (Not in the form that `--help` would show.)
#[derive(Clone, Debug, clap::Args)]
#[allow(missing_docs, reason = "`--help` would show them instead of the command's own")]
pub struct Connection {
    /// Where the API is.
    #[arg(long, global = true, value_name = "URL", env = "HOLDFAST_API", default_value = "http://127.0.0.1:8053")]
    api: String,
    /// A file with the token. Without one, the token is in the variable HOLDFAST_TOKEN, or in ./.holdfast/admin-token.
    #[arg(long, global = true, value_name = "FILE", env = "HOLDFAST_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

impl Connection {
    /// A client.
    ///
    /// # Errors
    /// When the file that was named cannot be read.
    pub(super) fn client(&self) -> Result<ApiClient, CommandError> {
        let api = if self.api.contains("://") { self.api.clone() } else { format!("http://{}", self.api) };
        Ok(ApiClient::new(&api, self.token()?))
    }

    fn token(&self) -> Result<Option<String>, CommandError> {
        let read = |file: &Path| {
            let read = fs::read_to_string(file).map(|text| text.trim().to_owned());
            read.map_err(CommandError::system(format!("read the token in {}", file.display())))
        };
        match (&self.token_file, env::var("HOLDFAST_TOKEN")) {
            (Some(file), _) => read(file).map(Some),
            (None, Ok(token)) if !token.is_empty() => Ok(Some(token)),
            _ if Path::new(TOKEN_FILE).exists() => read(Path::new(TOKEN_FILE)).map(Some),
            _ => Ok(None),
        }
    }
}

/// A group's tip; 0 if there is no such group yet.
pub(super) fn tip(api: &ApiClient, group: &str) -> Result<u64, CommandError> {
    match api.get(&format!("/v1/groups/{}", encoded(group))) {
        Ok(found) => Ok(found["tip"].as_u64().unwrap_or_default()),
        Err(why) if why.is_not_found() => Ok(0),
        Err(why) => Err(why.into()),
    }
}

/// Every item of a list, page by page.
pub(super) fn all_pages(
    api: &ApiClient,
    path: &str,
    mut each: impl FnMut(&Value) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let mut after = String::new();
    loop {
        let separator = if path.contains('?') { '&' } else { '?' };
        let page = api.get(&format!("{path}{separator}limit=1000{after}"))?;
        page["items"].as_array().into_iter().flatten().try_for_each(&mut each)?;
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", encoded(next)),
            None => return Ok(()),
        }
    }
}
