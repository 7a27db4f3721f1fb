//! Who may ask for what, beyond plain questions that everybody is answered.

use ipnet::IpNet;
use std::net::IpAddr;
use std::str::FromStr;

/// Some networks, as a list in words: `10.0.0.0/8,2001:db8::/32`, single addresses, `any` or `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// A list of networks that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no network (192.0.2.0/24, 2001:db8::/32), no address, and not `any` or `none`")]
pub struct NetworkError(String);

impl FromStr for Networks {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let mut networks = Vec::new();
        for word in text.split(',').map(str::trim) {
            match word {
                "any" => networks.extend(["0.0.0.0/0", "::/0"].iter().filter_map(|all| all.parse::<IpNet>().ok())),
                "none" => {}
                _ => {
                    let network = word.parse().or_else(|_| word.parse::<IpAddr>().map(IpNet::from));
                    // Bits beyond the prefix say nothing, and are mostly an address with a network's length behind it.
                    networks.push(network.map_err(|_| NetworkError(word.to_owned()))?.trunc());
                }
            }
        }
        Ok(Self(networks))
    }
}

impl Networks {
    /// Whether `address` is in one of them. A v4 address in v6 dress counts as what it is.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// What a client may ask for beyond plain questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Nothing: it is refused, or not told.
    Plain,
    /// What helps those who look into this server: the generation of an answer, which opcodes and classes are known.
    Diagnostics,
}

impl Rights {
    /// Whether these are diagnostics.
    #[must_use]
    pub const fn may_diagnose(self) -> bool {
        matches!(self, Self::Diagnostics)
    }
}

/// Who has which rights.
#[derive(Clone, Debug)]
pub struct Access {
    /// Clients with [`Rights::Diagnostics`].
    pub diagnostics: Networks,
}

impl Access {
    /// The rights of a client; of one whose address is not known, none.
    #[must_use]
    pub fn rights_of(&self, client: IpAddr) -> Rights {
        if self.diagnostics.contain(client) { Rights::Diagnostics } else { Rights::Plain }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn contain(networks: &str, address: &str) -> bool {
        networks.parse::<Networks>().unwrap().contain(address.parse().unwrap())
    }

    #[test]
    fn a_list_holds_what_is_in_one_of_its_networks() {
        for (networks, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("10.0.0.0/8, 2001:db8::/32", "2001:db8:1::1", true),
            ("10.0.0.0/8,2001:db8::/32", "2001:db9::1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("any", "203.0.113.9", true),
            ("any", "2001:db8::1", true),
            ("none", "127.0.0.1", false),
            ("none,127.0.0.0/8", "127.0.0.1", true),
            ("0.0.0.0/0", "::1", false),
        ] {
            assert_eq!(contain(networks, address), expected, "{networks} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for word in ["10.0.0.0/33", "example.", "", "10.0.0", "any thing"] {
            let refused = format!("127.0.0.1,{word}").parse::<Networks>().unwrap_err();
            assert!(refused.to_string().starts_with(&format!("`{word}` is no network")), "{refused}");
        }
    }

    #[test]
    fn who_is_not_known_has_no_rights() {
        let access = Access { diagnostics: "127.0.0.0/8".parse().unwrap() };
        assert_eq!(access.rights_of([127, 0, 0, 1].into()), Rights::Diagnostics);
        assert_eq!(access.rights_of([192, 0, 2, 1].into()), Rights::Plain);
    }
}
