//! What a client keeps to itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::str::FromStr;

const PREFIX: &str = "hf_";
const BYTES: usize = 32;

/// A token's secret: `hf_` and 32 random bytes in base64url. Printing it for debugging shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; BYTES]);

/// The text is no secret. What it is, is not said: it may be somebody's password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token: expected `hf_` and 43 characters of base64url")]
pub struct SecretError;

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// What is stored of it. It covers the text, so that whoever holds a secret can compute it with `b3sum`.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(self.reveal().as_bytes()).as_bytes()
    }

    /// The text, for whoever it is given to.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for Secret {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| SecretError)?;
        bytes.try_into().map(Self).map_err(|_| SecretError)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_never_printed() {
        let secret = Secret::random().unwrap();
        let text = secret.reveal();
        assert_eq!(text.len(), 46);
        assert_eq!(text.parse(), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_ne!(secret.hash(), Secret::random().unwrap().hash());
    }

    #[test]
    fn what_is_no_secret_is_not_repeated_in_the_error() {
        for bad in
            ["", "hf_", "hunter2", "hf_AAAA", &format!("hf_{}", "A".repeat(44)), &format!("hf_{}=", "A".repeat(43))]
        {
            let error = bad.parse::<Secret>().unwrap_err();
            assert!(bad.is_empty() || bad == "hf_" || !error.to_string().contains(bad));
        }
    }
}
