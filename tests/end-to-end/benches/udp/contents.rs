//! What is served: the same zones for everybody.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// Zones with names in them, each with one address.
pub(crate) struct Contents {
    pub(crate) zones: usize,
    pub(crate) names_each: usize,
}

impl Contents {
    /// By the name that is asked for.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let (zones, names_each) = match name {
            "1k" => (1, 1_000),
            "100k" => (1, 100_000),
            "1m" => (1, 1_000_000),
            "10k-zones" => (10_000, 10),
            _ => return None,
        };
        Some(Self { zones, names_each })
    }

    /// In words.
    pub(crate) fn words(&self) -> String {
        match self.zones {
            1 => format!("one zone of {} names", self.names_each),
            zones => format!("{zones} zones of {} names, each in a group of its own", self.names_each),
        }
    }

    /// A zone's name, which a dot ends.
    pub(crate) fn zone(&self, zone: usize) -> String {
        format!("z{zone:05}.example.")
    }

    /// The owner of a name that is there.
    pub(crate) fn name(&self, number: usize) -> String {
        format!("n{:07}", number % self.names_each)
    }

    /// A name's address.
    pub(crate) fn value(&self, number: usize) -> Ipv4Addr {
        let [.., a, b] = (number as u32).to_be_bytes();
        Ipv4Addr::new(198, 51, a, b)
    }

    /// A zone as a file.
    pub(crate) fn text(&self, zone: usize) -> String {
        let zone = self.zone(zone);
        let mut text = format!(
            "$ORIGIN {zone}\n$TTL 300\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n"
        );
        for number in 0..self.names_each {
            writeln!(text, "{} A {}", self.name(number), self.value(number)).unwrap();
        }
        text
    }
}
