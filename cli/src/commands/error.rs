//! Why a command failed.

use std::io;

use control_plane::breakglass::BreakGlassError;
use control_plane::reading::ReadError;
use control_plane::store::StoreError;

use crate::api_client::ApiError;

/// Why a command failed, in sentences.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The API refused, or did not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Break-glass: the database refused, or did not answer.
    #[error("{0}")]
    BreakGlass(#[from] BreakGlassError),
    /// A file, or the terminal.
    #[error("could not {act}: {cause}")]
    System {
        /// What was tried.
        act: String,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// Admitted, and what was waited for did not come to be.
    #[error("{0}")]
    NotReached(String),
}

impl From<ReadError> for CommandError {
    fn from(error: ReadError) -> Self {
        Self::BreakGlass(error.into())
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::BreakGlass(error.into())
    }
}

impl CommandError {
    /// For `map_err`: says what was tried.
    pub(crate) fn system(act: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let act = act.into();
        move |cause| Self::System { act, cause }
    }
}
