//! The one wall clock of all programs. It says how old DNS cookies are, so that servers which share a secret know each other's
//! (RFC 9018 §4.3). Nothing else may depend on it: by a clock that is hours off, cookies are replaced by new ones.

/// Seconds since 1970, as far as 32 bits hold them.
pub(crate) fn now() -> u32 {
    #[allow(
        clippy::disallowed_types,
        reason = "a cookie's age means the same on all servers, and order depends on none"
    )]
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
    since.map_or(0, |since| since.as_secs() as u32)
}
