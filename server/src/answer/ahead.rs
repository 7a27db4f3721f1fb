//! Packets that arrived together are looked at together first: while the memory that one of them needs is on its way, the
//! others are read. Out of a million names that is most of what a look-up takes.

use super::plain::Kind;
use super::{Context, Scratch, Verdict};
use crate::prefetch::prefetch;
use crate::snapshot::{Ahead, Directory};

/// How many packets are looked at together. With more, what was fetched first is gone before it is used.
pub const GROUP_SIZE: usize = 16;

impl Scratch {
    /// Reads up to [`GROUP_SIZE`] packets, and fetches what their answers will need. Changes nothing but how soon they are
    /// there.
    pub fn look_ahead<'p>(&mut self, directory: &Directory, packets: impl IntoIterator<Item = &'p [u8]>) {
        let mut count = 0;
        for ((kind, name), packet) in self.ahead.iter_mut().zip(packets) {
            *kind = super::plain::read(packet, name);
            count += 1;
        }
        let mut walks: [Option<Ahead<'_>>; GROUP_SIZE] = [const { None }; GROUP_SIZE];
        for (walk, (kind, name)) in walks.iter_mut().zip(self.ahead.iter().take(count)) {
            if let Kind::Plain(_) = kind {
                *walk = directory.ahead(name);
            }
        }
        // Each step needs what the one before has fetched.
        let mut go_on = true;
        while go_on {
            go_on = false;
            for walk in walks.iter_mut().take(count) {
                match walk.as_mut().and_then(Ahead::next_read) {
                    Some(address) => {
                        prefetch(address);
                        go_on = true;
                    }
                    None => *walk = None,
                }
            }
        }
    }

    /// Answers the packet of this place in the group that was looked at, as [`super::answer`] does.
    #[inline]
    pub fn answer_next(
        &mut self,
        directory: &Directory,
        (place, packet): (usize, &[u8]),
        context: &Context<'_>,
        out: &mut [u8],
    ) -> Verdict {
        self.answer(directory, (place, packet), context, out)
    }
}
