//! Leaves under branches, found by the bits of a hash: persistent, so that a change copies one leaf and the branches above
//! it, and shares the rest.
//!
//! A branch has 128 places, and a leaf fills as many of them as it can: one that grows too full is cut in two by the next
//! bit of the hash. At a million names there are two levels of branches, and a change copies some 6 KiB beside its leaf.

use std::sync::Arc;

/// How many bits of the hash choose a place in a branch.
const BITS: u32 = 7;
const PLACES: usize = 1 << BITS;
/// Below this level there are no more bits to tell names apart by.
const LEVELS_MAX: u32 = 64 / BITS;

/// What hangs on the branches.
pub(super) trait Leaf: Clone {
    /// What it takes to cut one in two.
    type Of: ?Sized;

    /// Whether it should be cut in two.
    fn is_overfull(&self) -> bool;

    /// Cuts it in two: what has this bit of its hash clear (0 is the highest), and what has it set.
    fn split(&self, bit: u32, of: &Self::Of) -> [Self; 2];
}

/// What a leaf is made of, when all of it is there beforehand.
pub(super) trait Hashed {
    /// Its hash.
    fn hash(&self) -> u64;
}

/// A tree of leaves.
#[derive(Clone, Debug)]
pub(super) struct Tree<L> {
    root: Node<L>,
}

#[derive(Clone, Debug)]
enum Node<L> {
    /// It fills 2^(7 - bits) places of its branch, beginning where that many bits of the place are clear.
    Leaf {
        leaf: L,
        bits: u8,
    },
    Branch(Arc<[Node<L>]>),
}

impl<L: Leaf> Tree<L> {
    /// A tree of one leaf.
    pub(super) const fn new(leaf: L) -> Self {
        Self { root: Node::Leaf { leaf, bits: 0 } }
    }

    /// A tree of everything at once, ordered by hash. `make` makes a leaf.
    pub(super) fn of<E: Hashed>(all: &[E], make: impl Fn(&[E]) -> L) -> Self {
        // As when they come one by one, a tree with little in it is a leaf.
        let leaf = (all.len() <= PLACES).then(|| make(all)).filter(|leaf| !leaf.is_overfull());
        Self { root: leaf.map_or_else(|| make_branch(all, 0, &make), |leaf| Node::Leaf { leaf, bits: 0 }) }
    }

    /// The leaf that what has this hash is in.
    #[inline]
    pub(super) fn leaf(&self, hash: u64) -> Option<&L> {
        let mut walk = self.walk(hash);
        while walk.goes_on() {}
        walk.leaf()
    }

    /// The same, step by step.
    #[inline]
    pub(super) const fn walk(&self, hash: u64) -> Walk<'_, L> {
        Walk { node: &self.root, hash }
    }

    /// Puts what `edit` makes of a leaf in its place.
    pub(super) fn edit(&mut self, hash: u64, of: &L::Of, edit: impl FnOnce(&L) -> L) {
        if let Some(node) = edit_node(&mut self.root, hash, 0, of, edit) {
            self.root = node;
        }
    }

    /// All leaves.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &L> {
        let mut open = vec![std::slice::from_ref(&self.root)];
        std::iter::from_fn(move || {
            loop {
                let (first, rest) = open.pop()?.split_first()?;
                match first {
                    Node::Leaf { leaf, bits } => {
                        let places = places_of(*bits).min(rest.len() + 1);
                        open.extend(Some(&rest[places - 1..]).filter(|rest| !rest.is_empty()));
                        return Some(leaf);
                    }
                    Node::Branch(nodes) => {
                        open.extend(Some(rest).filter(|rest| !rest.is_empty()));
                        open.push(nodes);
                    }
                }
            }
        })
    }
}

/// A way down a tree.
#[derive(Debug)]
pub(super) struct Walk<'t, L> {
    node: &'t Node<L>,
    hash: u64,
}

impl<'t, L> Walk<'t, L> {
    /// Goes one level down; false at a leaf.
    #[inline]
    pub(super) fn goes_on(&mut self) -> bool {
        let Node::Branch(nodes) = self.node else { return false };
        let Some(node) = nodes.get(place_of(self.hash)) else { return false };
        (self.node, self.hash) = (node, self.hash << BITS);
        true
    }

    /// What the next step will read, if there is one.
    #[inline]
    pub(super) fn reads_next(&self) -> Option<*const u8> {
        match self.node {
            Node::Leaf { .. } => None,
            Node::Branch(nodes) => nodes.get(place_of(self.hash)).map(|node| std::ptr::from_ref(node).cast()),
        }
    }

    /// The leaf, once there.
    #[inline]
    pub(super) const fn leaf(&self) -> Option<&'t L> {
        match self.node {
            Node::Leaf { leaf, .. } => Some(leaf),
            Node::Branch(_) => None,
        }
    }
}

#[inline]
const fn place_of(hash: u64) -> usize {
    (hash >> (u64::BITS - BITS)) as usize
}

const fn places_of(bits: u8) -> usize {
    PLACES >> bits
}

/// Edits the leaf below `node`, which is at this level; the second part is what comes in the node's own place.
fn edit_node<L: Leaf>(
    node: &mut Node<L>,
    hash: u64,
    level: u32,
    of: &L::Of,
    edit: impl FnOnce(&L) -> L,
) -> Option<Node<L>> {
    let nodes = match node {
        Node::Leaf { leaf, .. } => {
            let leaf = edit(leaf);
            let grows = leaf.is_overfull() && level < LEVELS_MAX;
            return Some(if grows { branch_of(leaf, level, of) } else { Node::Leaf { leaf, bits: 0 } });
        }
        Node::Branch(nodes) => Arc::make_mut(nodes),
    };
    let place = place_of(hash << (BITS * level));
    match nodes.get_mut(place)? {
        Node::Leaf { leaf, bits } => {
            let (leaf, bits) = (edit(leaf), *bits);
            let places = places_of(bits);
            let from = place / places * places;
            fill(&mut nodes[from..from + places], bits, leaf, level, of);
        }
        branch @ Node::Branch(_) => {
            if let Some(node) = edit_node(branch, hash, level + 1, of, edit) {
                *branch = node;
            }
        }
    }
    None
}

/// A branch of the places of this level, with the leaf in it.
fn branch_of<L: Leaf>(leaf: L, level: u32, of: &L::Of) -> Node<L> {
    let mut nodes = vec![Node::Leaf { leaf: leaf.clone(), bits: 0 }; PLACES];
    fill(&mut nodes, 0, leaf, level, of);
    Node::Branch(nodes.into())
}

/// Fills places with a leaf, cut into as many as it takes.
fn fill<L: Leaf>(nodes: &mut [Node<L>], bits: u8, leaf: L, level: u32, of: &L::Of) {
    if !leaf.is_overfull() {
        nodes.fill(Node::Leaf { leaf, bits });
    } else if let [node] = nodes {
        *node = if level + 1 < LEVELS_MAX { branch_of(leaf, level + 1, of) } else { Node::Leaf { leaf, bits } };
    } else {
        let (low, high) = nodes.split_at_mut(nodes.len() / 2);
        let [clear, set] = leaf.split(level * BITS + u32::from(bits), of);
        fill(low, bits + 1, clear, level, of);
        fill(high, bits + 1, set, level, of);
    }
}

/// A branch of the places of this level, with all of these in it, which have the bits above it in common.
fn make_branch<L: Leaf, E: Hashed>(all: &[E], level: u32, make: &impl Fn(&[E]) -> L) -> Node<L> {
    let mut nodes = Vec::with_capacity(PLACES);
    make_places(&mut nodes, (0, level), all, make);
    Node::Branch(nodes.into())
}

/// Appends the places that begin with so many bits.
fn make_places<L: Leaf, E: Hashed>(
    nodes: &mut Vec<Node<L>>,
    (bits, level): (u8, u32),
    all: &[E],
    make: &impl Fn(&[E]) -> L,
) {
    // More than one leaf can hold is not made into one first.
    let leaf = (all.len() <= PLACES || level + 1 >= LEVELS_MAX).then(|| make(all));
    let last = u32::from(bits) == BITS;
    match leaf {
        Some(leaf) if !leaf.is_overfull() || (last && level + 1 >= LEVELS_MAX) => {
            nodes.extend(std::iter::repeat_n(Node::Leaf { leaf, bits }, places_of(bits)));
        }
        _ if last => nodes.push(make_branch(all, level + 1, make)),
        _ => {
            let bit = level * BITS + u32::from(bits);
            let (clear, set) = all.split_at(all.partition_point(|one| one.hash() << bit >> 63 == 0));
            make_places(nodes, (bits + 1, level), clear, make);
            make_places(nodes, (bits + 1, level), set, make);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[derive(Clone, Debug)]
    struct Numbers(Arc<[u64]>);

    impl Leaf for Numbers {
        type Of = ();

        fn is_overfull(&self) -> bool {
            self.0.len() > 3
        }

        fn split(&self, bit: u32, (): &()) -> [Self; 2] {
            let is_set = |number: &&u64| **number << bit >> 63 == 1;
            let (set, clear): (Vec<u64>, Vec<u64>) = self.0.iter().partition(is_set);
            [Self(clear.into()), Self(set.into())]
        }
    }

    fn insert(tree: &mut Tree<Numbers>, number: u64) {
        tree.edit(number, &(), |leaf| Numbers(leaf.0.iter().copied().chain([number]).collect()));
    }

    fn all(tree: &Tree<Numbers>) -> Vec<u64> {
        tree.leaves().flat_map(|leaf| leaf.0.iter().copied()).collect()
    }

    /// Some spread, some that differ in their last bits only, and some alike.
    fn number(nth: u64) -> u64 {
        match nth % 4 {
            0 => nth,
            1 => 7,
            _ => nth.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        }
    }

    #[test]
    fn what_is_put_in_is_found_and_met_once() {
        let mut tree = Tree::new(Numbers(Arc::new([])));
        for nth in 0..5_000 {
            insert(&mut tree, number(nth));
        }
        let mut wanted: Vec<u64> = (0..5_000).map(number).collect();
        assert!(wanted.iter().all(|number| tree.leaf(*number).unwrap().0.contains(number)));
        let mut met = all(&tree);
        met.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(met, wanted);
    }

    impl Hashed for u64 {
        fn hash(&self) -> u64 {
            *self
        }
    }

    #[test]
    fn made_at_once_it_is_as_when_made_one_by_one() {
        for count in [0, 1, 3, 4, 100, 1_000, 5_000] {
            let mut numbers: Vec<u64> = (0..count).map(number).filter(|number| *number != 7).collect();
            numbers.sort_unstable();
            let mut tree = Tree::of(&numbers, |numbers| Numbers(numbers.into()));
            assert_eq!(all(&tree), numbers);
            assert!(numbers.iter().all(|number| tree.leaf(*number).unwrap().0.contains(number)));
            let mut other = Tree::new(Numbers(Arc::new([])));
            numbers.iter().for_each(|number| insert(&mut other, *number));
            let leaves = |tree: &Tree<Numbers>| tree.leaves().map(|leaf| leaf.0.to_vec()).collect::<Vec<_>>();
            assert_eq!(leaves(&tree), leaves(&other));
            insert(&mut tree, 1 << 40);
            insert(&mut other, 1 << 40);
            assert_eq!(leaves(&tree), leaves(&other));
        }
    }

    #[test]
    fn a_change_is_not_seen_in_what_was_before_and_shares_the_rest() {
        let mut before = Tree::new(Numbers(Arc::new([])));
        (0..5_000).filter(|nth| nth % 4 > 1).for_each(|nth| insert(&mut before, number(nth)));
        let mut after = before.clone();
        insert(&mut after, 1 << 40);
        assert_eq!(all(&before).len() + 1, all(&after).len());
        let addresses = |tree: &Tree<Numbers>| tree.leaves().map(|leaf| leaf.0.as_ptr()).collect::<BTreeSet<_>>();
        let (before, after) = (addresses(&before), addresses(&after));
        assert!(after.len() > 1_000);
        assert!(after.difference(&before).count() <= 2);
    }
}
