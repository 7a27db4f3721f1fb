//! What a schedule is played on: rings, servers, groups, and for how long things go wrong.

use crate::fault::Fault;
use crate::random::Random;
use plan_rules::{Ring, RingName};
use std::time::Duration;

/// The set-up of a schedule.
#[derive(Clone, Debug)]
pub struct Layout {
    /// How many groups there are.
    pub groups: usize,
    /// The rings, the earlier ones first.
    pub rings: Vec<(RingName, Ring)>,
    /// The ring of each server.
    pub servers: Vec<usize>,
    /// How many clients post plans.
    pub clients: usize,
    /// How many plans each of them posts.
    pub plans_each: u32,
    /// For how long things go wrong.
    pub chaos_ms: u64,
    /// How many generations are kept in any case.
    pub keep: usize,
    /// Whether plans may be poison: only where a ring proves them first.
    pub has_poison: bool,
}

impl Layout {
    /// Draws one. What a fault breaks has to be there.
    #[must_use]
    pub fn new(random: &mut Random, fault: Option<Fault>) -> Self {
        let needs_rings = matches!(fault, Some(Fault::VerdictIgnored | Fault::SoakIgnored | Fault::FailedIsForgotten));
        let is_alone = !needs_rings && random.percent(45);
        let (rings, servers) = if is_alone {
            (vec![ring("fleet", true, 0)], vec![0; random.between(1, 3) as usize])
        } else if random.percent(70) {
            (vec![ring("canary", true, 0), ring("fleet", false, 0)], vec![0, 1, random.below(2)])
        } else {
            let rings = vec![ring("canary", true, 0), ring("fleet", false, 0), ring("delayed", false, 4)];
            (rings, vec![0, 1, 2])
        };
        Self {
            groups: if random.percent(15) { 2 } else { 1 },
            servers,
            clients: random.between(2, 3) as usize,
            plans_each: random.between(2, 4) as u32,
            chaos_ms: if is_alone { random.between(6_000, 14_000) } else { random.between(12_000, 26_000) },
            keep: random.between(2, 4) as usize,
            has_poison: !is_alone,
            rings,
        }
    }

    /// Whether there is one ring only.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.rings.len() == 1
    }
}

fn ring(name: &str, first: bool, delay_s: u64) -> (RingName, Ring) {
    let name = RingName::parse(name).unwrap_or_else(|| unreachable!("{name} is a name"));
    let delay = Duration::from_secs(delay_s);
    (name, Ring { first, soak: Duration::ZERO, delay, servers_min: 1 })
}
