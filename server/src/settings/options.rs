//! What the server tells of itself: in options of DNS messages, and in class CH.

use super::Settings;
use crate::answer::Options;
use crate::cookie_secrets::{self, SecretsError};
use clap::{ArgAction, Args};
use std::path::PathBuf;

/// The longest name by which a server tells itself from others, in octets. More would push records out of replies.
const NSID_LENGTH_MAX: usize = 128;
/// The longest text in one piece (RFC 1035 §3.3).
const TEXT_LENGTH_MAX: usize = 255;

/// What may be told.
#[derive(Clone, Debug, Args)]
pub struct OptionSettings {
    /// Whether DNS cookies are made and known (RFC 7873)
    #[arg(long, env = "HOLDFAST_COOKIES", value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub cookies: bool,

    /// A file with the secrets of DNS cookies, the same on all servers that answer at one address: 32 hex digits a line; the first
    /// makes cookies, all are known. Read again on SIGHUP [default: a secret of this process alone]
    #[arg(long, env = "HOLDFAST_COOKIE_SECRET_FILE", value_name = "FILE")]
    pub cookie_secret_file: Option<PathBuf>,

    /// Who this server is, told to those who ask by NSID (RFC 5001): a text, or 0x and hex digits [default: not told]
    #[arg(long, env = "HOLDFAST_NSID", value_name = "TEXT|0xHEX", value_parser = nsid)]
    pub nsid: Option<Nsid>,

    /// A text told at id.server and hostname.bind in class CH (RFC 4892) [default: REFUSED]
    #[arg(long, env = "HOLDFAST_CHAOS_ID", value_name = "TEXT", value_parser = text)]
    pub chaos_id: Option<String>,

    /// Whether this program's name and version are told at version.server and version.bind in class CH [default: false, and
    /// REFUSED]
    #[arg(long, env = "HOLDFAST_CHAOS_VERSION", value_name = "BOOL", default_value_t = false, hide_default_value = true, action = ArgAction::Set)]
    pub chaos_version: bool,
}

/// Octets by which a server tells itself from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nsid(Box<[u8]>);

fn nsid(said: &str) -> Result<Nsid, String> {
    let octets = match said.strip_prefix("0x") {
        Some(digits) => hex::decode(digits).map_err(|_| "after 0x come pairs of hex digits".to_owned())?,
        None => said.as_bytes().to_vec(),
    };
    if (1..=NSID_LENGTH_MAX).contains(&octets.len()) {
        Ok(Nsid(octets.into()))
    } else {
        Err(format!("it has 1 to {NSID_LENGTH_MAX} octets"))
    }
}

fn text(said: &str) -> Result<String, String> {
    if (1..=TEXT_LENGTH_MAX).contains(&said.len()) {
        Ok(said.to_owned())
    } else {
        Err(format!("it has 1 to {TEXT_LENGTH_MAX} octets"))
    }
}

impl OptionSettings {
    /// The file with the secrets of cookies, if there are cookies.
    #[must_use]
    pub fn secret_file(&self) -> Option<PathBuf> {
        self.cookie_secret_file.clone().filter(|_| self.cookies)
    }
}

impl Settings {
    /// What answers may tell, with the secrets of cookies read or drawn.
    ///
    /// # Errors
    /// There are no secrets to be had.
    pub fn answer_options(&self) -> Result<Options, SecretsError> {
        let settings = &self.options;
        let cookies = match settings.secret_file() {
            Some(file) => Some(cookie_secrets::read(&file)?),
            None if settings.cookies => Some(cookie_secrets::draw()?),
            None => None,
        };
        Ok(Options {
            cookies,
            nsid: settings.nsid.clone().map(|Nsid(octets)| octets),
            // What is longer than can be told is told as the longest.
            keepalive: Some(u16::try_from(self.tcp_idle_timeout_ms / 100).unwrap_or(u16::MAX)),
            chaos_id: settings.chaos_id.as_ref().map(|text| text.as_bytes().into()),
            chaos_version: settings.chaos_version.then(|| {
                let version = concat!("Holdfast ", env!("CARGO_PKG_VERSION"));
                version.as_bytes().into()
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn options(more: &[&str]) -> Result<Options, String> {
        let settings = ["holdfast-server", "--database-url", "x"].iter().chain(more);
        let settings = Settings::try_parse_from(settings).map_err(|error| error.to_string())?;
        settings.answer_options().map_err(|error| error.to_string())
    }

    #[test]
    fn by_default_there_are_cookies_and_a_time_for_connections() {
        let options = options(&[]).unwrap();
        assert!(options.cookies.is_some() && options.keepalive == Some(100));
        assert_eq!((options.nsid, options.chaos_id, options.chaos_version), (None, None, None));
    }

    #[test]
    fn all_can_be_set() {
        let all = ["--cookies", "false", "--nsid", "0x00FFab", "--chaos-id", "one", "--chaos-version", "true"];
        let options = options(&[&all[..], &["--tcp-idle-timeout-ms", "99999999"]].concat()).unwrap();
        assert!(options.cookies.is_none() && options.keepalive == Some(u16::MAX));
        assert_eq!(options.nsid.as_deref(), Some(&[0, 0xff, 0xab][..]));
        assert_eq!(options.chaos_id.as_deref(), Some(&b"one"[..]));
        assert!(options.chaos_version.unwrap().starts_with(b"Holdfast "));
        let ns1 = self::options(&["--nsid", "ns1"]).unwrap();
        assert_eq!(ns1.nsid.as_deref(), Some(&b"ns1"[..]));
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        let long = "a".repeat(256);
        for wrong in [["--nsid", ""], ["--nsid", "0x"], ["--nsid", "0xabc"], ["--nsid", &long[..129]]] {
            options(&wrong).unwrap_err();
        }
        for wrong in [["--chaos-id", ""], ["--chaos-id", &long]] {
            options(&wrong).unwrap_err();
        }
        let why = options(&["--cookie-secret-file", "/nowhere/secrets"]).unwrap_err();
        assert!(why.contains("/nowhere/secrets"), "{why}");
        options(&["--cookie-secret-file", "/nowhere/secrets", "--cookies", "false"]).unwrap();
    }
}
