//! What a decision leans on beyond the plan's footprint: targets that have to exist, names that something may point to,
//! and what other groups have around a zone that begins or ends.
//!
//! Whoever decides reads the footprint first, asks here what else is needed, reads that as well, and then decides. The
//! second read may be of a later moment than the first:
//!
//! 1. The footprint is read at tip 41.
//! 2. Another plan becomes 42, and takes `www` away.
//! 3. Whether `www` exists is read: no.
//! 4. The plan is decided on tip 41, and its write as 42 finds the number taken: all is read again.
//!
//! So a mixture never gets in: what is written under the number 42 was decided on what stood at 41.

use crate::history::{History, ZoneOwner};
use std::collections::BTreeSet;
use zone_model::{Name, Plan, RecordSet, RecordType, SetKey, ZoneChange};

/// What else has to be read; nothing that the history has already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leans {
    /// Names, in lower case, that record sets will point to, or point to already while they may go: for [`History::target_zones`], with the names on the way.
    pub targets: BTreeSet<Name>,
    /// Names, in lower case, that may go: for [`History::pointers`].
    pub pointed_to: BTreeSet<Name>,
    /// Zones that begin or end: for [`History::around`].
    pub around: BTreeSet<Name>,
}

impl Leans {
    /// Whether there is nothing more to be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.pointed_to.is_empty() && self.around.is_empty()
    }
}

/// What has to be read for `plan` besides its footprint, which `history` has.
#[must_use]
pub fn leans(plan: &Plan, history: &History) -> Leans {
    let mut leans = Leans::default();
    for (zone, change) in &plan.zones {
        let Some(of_zone) = history.zones.get(zone).filter(|of_zone| !matches!(of_zone.owner, ZoneOwner::Another(_)))
        else {
            continue;
        };
        match change {
            ZoneChange::Edit(edit) => {
                for (key, placed) in edit.upserts() {
                    leans
                        .targets
                        .extend(new_targets(of_zone.sets.get(key).and_then(|one| one.set.as_ref()), &placed.value));
                }
                let deletes = edit.deletes().keys().map(|delete| delete.owner.to_lowercase());
                let removals = edit.removals().iter().map(|key| key.owner().clone());
                for name in deletes.chain(removals) {
                    // What may still answer under a name that goes is looked up like a target.
                    leans.targets.insert(name.clone());
                    leans.pointed_to.insert(name);
                }
            }
            ZoneChange::Replace(contents) => {
                for (key, set) in contents.sets() {
                    leans.targets.extend(new_targets(of_zone.sets.get(key).and_then(|one| one.set.as_ref()), set));
                }
                let stays: BTreeSet<&Name> = contents.sets().keys().map(SetKey::owner).collect();
                let standing = of_zone.sets.iter().filter(|(_, standing)| standing.set.is_some());
                let gone = standing.map(|(key, _)| key.owner()).filter(|owner| !stays.contains(owner));
                leans.pointed_to.extend(gone.cloned());
                if !of_zone.lives(zone) {
                    leans.around.insert(zone.clone());
                }
            }
            ZoneChange::End => {
                let standing = of_zone.sets.iter().filter(|(_, standing)| standing.set.is_some());
                leans.pointed_to.extend(standing.map(|(key, _)| key.owner().clone()));
                leans.around.insert(zone.clone());
            }
        }
    }
    leans.targets.retain(|target| !history.target_zones.contains_key(target));
    leans.pointed_to.retain(|name| !history.pointers.contains_key(name));
    leans.around.retain(|zone| !history.around.contains_key(zone));
    leans
}

/// The names that have to be looked up in `zone` to say whether `target` exists there, in lower case: the target, all that
/// is above it down from the apex (a cut or DNAME there decides), and the wildcards that may stand in for it.
#[must_use]
pub fn names_on_the_way(target: &Name, zone: &Name) -> Vec<Name> {
    let mut names = vec![target.to_lowercase()];
    let mut below = target.to_lowercase();
    while below != *zone {
        let Some(above) = below.parent() else { break };
        names.extend(above.child(b"*"));
        names.push(above.clone());
        below = above;
    }
    names
}

/// What the records of a set point to, in lower case, where that has to exist: of CNAME, NS, MX and SRV.
#[must_use]
pub fn targets(set: &RecordSet) -> BTreeSet<Name> {
    use RecordType as T;
    let rtype = set.rtype();
    if !matches!(rtype, T::CNAME | T::NS | T::MX | T::SRV) {
        return BTreeSet::new();
    }
    let names = set.records().iter().filter_map(|record| record.target(rtype));
    // For MX and SRV the root means "none" (RFC 7505 §3, RFC 2782).
    names.filter(|name| !name.is_root()).map(|name| name.to_lowercase()).collect()
}

/// What a set points to that its former self did not.
pub(crate) fn new_targets(before: Option<&RecordSet>, after: &RecordSet) -> BTreeSet<Name> {
    let mut new = targets(after);
    if let Some(before) = before.filter(|_| !new.is_empty()) {
        for old in targets(before) {
            new.remove(&old);
        }
    }
    new
}
