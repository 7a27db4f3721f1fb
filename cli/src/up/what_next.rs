//! What to type when everything runs.

use std::net::SocketAddr;

use serde_json::Value;

use super::{Addresses, DataDirectory, addresses::reachable, demo};

/// Everything on a screen, to be copied and pasted.
#[must_use]
pub(super) fn text(addresses: &Addresses, directory: &DataDirectory, plan: Option<&Value>) -> String {
    let listens = addresses.dns.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ");
    let token = shell_word(&directory.shown("admin-token"));
    let api = addresses.api_url();
    let mut lines = vec![
        String::new(),
        "Holdfast is up. Ctrl-C stops it; the next start goes on where this one ends.".to_owned(),
        String::new(),
        format!("  DNS      {listens}"),
        format!("  API      {api}   (token in {}, OpenAPI at {api}/openapi.json)", directory.shown("admin-token")),
        format!("  metrics  {}/metrics", addresses.admin_url()),
        format!("  logs     {}", directory.shown("log")),
    ];
    if let (Some(plan), Some(dns)) = (plan, addresses.dns.first().copied().map(reachable)) {
        lines.extend([
            String::new(),
            "Ask it something:".to_owned(),
            String::new(),
            format!("  dig @{} -p {} {} A", dns.ip(), dns.port(), demo::CHANGED_NAME),
            String::new(),
            "Change the answer, and ask again:".to_owned(),
            String::new(),
            format!(
                "  curl -sS '{api}/v1/groups/{}/plans?wait=served' -H \"Authorization: Bearer $(cat {token})\" \
                 -H 'Content-Type: application/json' -d {}",
                demo::GROUP,
                shell_word(&plan.to_string())
            ),
        ]);
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Quoted for a shell, if it needs to be.
fn shell_word(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn a_word_survives_the_shell() {
        assert_eq!(shell_word("./.holdfast/admin-token"), "./.holdfast/admin-token");
        assert_eq!(shell_word("it's here"), "'it'\\''s here'");
    }
}
