//! The way of a look-up, one read of memory after the other.

use super::page::Page;
use super::tree::Walk;
use super::{Directory, HashedName, Zone};

/// The way to a name's entry. Between two steps the memory that the second one reads should be fetched.
#[derive(Debug)]
pub struct Ahead<'d> {
    hash: u64,
    at: At<'d>,
}

#[derive(Debug)]
enum At<'d> {
    /// In a branch, or at a page.
    Branch(Walk<'d, Page>),
    /// The place in a branch is being fetched.
    Place(Walk<'d, Page>),
    /// The slot in a page is being fetched.
    Slot(&'d Page),
    /// Nothing is left to fetch.
    End,
}

impl Directory {
    /// The way to the entry of `name`, in the zone that it is in.
    #[inline]
    #[must_use]
    pub fn ahead(&self, name: &HashedName) -> Option<Ahead<'_>> {
        let labels = name.label_count();
        let zone: &Zone = &self.closest(name, labels)?.zone;
        let hash = name.hash_of(labels);
        Some(Ahead { hash, at: At::Branch(zone.walk(hash)) })
    }
}

impl Ahead<'_> {
    /// What has to be fetched before the next step; none at the end.
    #[inline]
    pub fn next_read(&mut self) -> Option<*const u8> {
        let mut at = std::mem::replace(&mut self.at, At::End);
        if let At::Place(mut walk) = at {
            walk.goes_on();
            at = At::Branch(walk);
        }
        match at {
            At::Branch(walk) => match (walk.reads_next(), walk.leaf()) {
                (Some(place), _) => {
                    self.at = At::Place(walk);
                    Some(place)
                }
                (None, Some(page)) => {
                    self.at = At::Slot(page);
                    page.slot(self.hash)
                }
                (None, None) => None,
            },
            At::Slot(page) => page.place(self.hash),
            At::Place(_) | At::End => None,
        }
    }
}
