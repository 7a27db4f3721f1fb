//! What a move by hand is to whoever traces moves.

use super::BreakGlass;
use move_trace::{At, Move, Role};
use zone_model::GroupName;

impl BreakGlass {
    /// The move that a person wishes, with the ids that only a trace asks for. None while nobody traces; where the head is there
    /// already; and where there is no such generation, which the database says better.
    pub(super) async fn move_of_head(
        &self,
        group: &str,
        (ring, role): (&str, Role),
        head: Option<i64>,
        generation: i64,
    ) -> Option<Move> {
        if !move_trace::is_on() || head == Some(generation) {
            return None;
        }
        let reading = self.reading();
        let found = reading.group(&GroupName::parse(group).ok()?).await.ok()?;
        let to: At = reading.plan(&found, generation).await.ok()?.version.into();
        let head = match head {
            Some(head) => Some(reading.plan(&found, head).await.ok()?.version.into()),
            None => None,
        };
        let (group, ring) = (group.to_owned(), ring.to_owned());
        Some(Move::MoveHead { group, ring, role, head, to, by_hand: true })
    }
}
