//! Small zones full of traps, made of few labels so that questions meet them.

use super::name_of;
use zone_model::{Name, RecordType};

/// Numbers that look random and come again with the same seed.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % end
    }

    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

const LABELS: [&str; 5] = ["a", "b", "c", "*", "w"];
pub const QUESTION_TYPES: [RecordType; 9] = [
    RecordType::A,
    RecordType::TXT,
    RecordType::NS,
    RecordType::CNAME,
    RecordType::DNAME,
    RecordType::MX,
    RecordType::DS,
    RecordType::SOA,
    RecordType::ANY,
];

/// A name in the zone: up to three labels of few.
pub fn name_in(numbers: &mut Numbers, zone: &str, depth_max: usize) -> String {
    let labels: Vec<_> = (0..numbers.below(depth_max + 1)).map(|_| *numbers.one_of(&LABELS)).collect();
    if labels.is_empty() { zone.to_owned() } else { format!("{}.{}", labels.join("."), zone.trim_start_matches('.')) }
}

/// A zone file. Targets are in the zone or nowhere.
pub fn zone(numbers: &mut Numbers, zone: &str) -> String {
    let below = zone.trim_start_matches('.');
    let mut text = format!(
        "$TTL 300\n{zone} SOA ns.{below} h.{below} 1 3600 600 86400 60\n{zone} NS ns.{below}\nns.{below} A 192.0.2.53\n"
    );
    let mut taken: Vec<(String, &str)> = vec![(zone.to_owned(), "data")];
    for line in 0..3 + numbers.below(12) {
        let owner = name_in(numbers, zone, 3);
        let has = |taken: &[(String, &str)], kind: &str| taken.iter().any(|(name, of)| *name == owner && *of == kind);
        let target = if numbers.below(6) == 0 { "x.elsewhere.".to_owned() } else { name_in(numbers, zone, 3) };
        let is_alias = has(&taken, "alias");
        let kind = match numbers.below(8) {
            0 | 1 if !is_alias => ("data", format!("A 192.0.2.{line}")),
            2 if !is_alias => ("data", format!("TXT \"t{line}\"")),
            3 if !is_alias => ("data", format!("MX 10 {target}")),
            4 | 5 if !taken.iter().any(|(name, _)| *name == owner) => ("alias", format!("CNAME {target}")),
            6 if !is_alias && owner != zone && !has(&taken, "dname") && !has(&taken, "cut") => {
                ("cut", format!("NS {target}"))
            }
            7 if !is_alias && !has(&taken, "dname") && !has(&taken, "cut") => ("dname", format!("DNAME {target}")),
            _ => continue,
        };
        text.push_str(&format!("{owner} {}\n", kind.1));
        if kind.0 == "cut" && numbers.below(2) == 0 {
            text.push_str(&format!("{owner} DS {line} 8 2 {}\n", "00".repeat(32)));
        }
        taken.push((owner.clone(), kind.0));
        if kind.0 != "data" {
            taken.push((owner, "data"));
        }
    }
    text
}

/// Names worth asking for in a zone, in any spelling.
pub fn question_name(numbers: &mut Numbers, zone: &str) -> Name {
    let name = name_in(numbers, zone, 4);
    name_of(&if numbers.below(4) == 0 { name.to_uppercase() } else { name })
}
