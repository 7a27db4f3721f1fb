//! What the limiter leaves of a reply. Over UDP alone: who has a connection is who it says.

use crate::answer::{About, Rcode};
use crate::counters::{Own, Tally};
use crate::rate_limit::{Class, Decision, RateLimiter, Second};
use std::net::SocketAddr;
use zone_model::RecordType;

/// A header's length (RFC 1035 §4.1.1).
const HEADER_LENGTH: usize = 12;
/// What follows a record's name: type, class, TTL, and the length of its data (RFC 1035 §4.1.3).
const RECORD_HEAD_LENGTH: usize = 10;

/// A limiter, and the second in which it is asked.
pub(super) type Limit<'l> = (&'l RateLimiter, Second);

/// A reply, as far as the limiter cares.
pub(super) struct Judged {
    /// Who is said to have asked.
    pub(super) client: SocketAddr,
    pub(super) about: About,
    pub(super) rcode: Rcode,
    /// Whether the client has shown that it is there, as with a cookie of ours.
    pub(super) is_proven: bool,
}

/// How much of `reply` is to be sent: all of it, it truncated, or none.
#[inline]
pub(super) fn limit(limit: Option<Limit<'_>>, judged: Judged, reply: &mut [u8], counters: &Own) -> Option<usize> {
    let Some((limiter, second)) = limit else { return Some(reply.len()) };
    let client = (judged.client.ip(), judged.is_proven);
    match limiter.decide(client, Class::of(judged.rcode, reply), judged.about, second) {
        Decision::Answer => Some(reply.len()),
        Decision::Truncate => {
            let length = truncate(reply);
            counters.add(|all| if length.is_some() { &all.slipped } else { &all.dropped_limited });
            length
        }
        Decision::Drop => {
            counters.add(|all| &all.dropped_limited);
            None
        }
    }
}

/// Makes a reply of ours one that says that all of it is missing (TC): header, question, and the OPT record, which is never
/// longer than the query. None if it cannot be read, as no reply of ours.
fn truncate(reply: &mut [u8]) -> Option<usize> {
    let header: [u8; HEADER_LENGTH] = *reply.first_chunk()?;
    let count = |at: usize| usize::from(u16::from_be_bytes([header[at], header[at + 1]]));
    let mut end = HEADER_LENGTH;
    for _ in 0..count(4) {
        end = after_name(reply, end)? + 4;
    }
    let (question_end, mut opt) = (end, None);
    for _ in 0..count(6) + count(8) + count(10) {
        let head = after_name(reply, end)?;
        let &[t1, t2, .., l1, l2] = reply.get(head..)?.first_chunk::<RECORD_HEAD_LENGTH>()?;
        let after = head + RECORD_HEAD_LENGTH + usize::from(u16::from_be_bytes([l1, l2]));
        if RecordType(u16::from_be_bytes([t1, t2])) == RecordType::OPT {
            opt = Some(end..after);
        }
        end = after;
    }
    let kept = opt.clone().map_or(0, |opt| opt.len());
    if let Some(opt) = opt {
        reply.get(opt.clone())?;
        reply.copy_within(opt, question_end);
    }
    let [_, _, flags, _, _, _, counts @ ..] = reply.first_chunk_mut::<HEADER_LENGTH>()?;
    *flags |= 2;
    *counts = [0, 0, 0, 0, 0, u8::from(kept > 0)];
    Some(question_end + kept)
}

/// Where a name ends that begins at `at`.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            label @ 1..=63 => at += 1 + usize::from(label),
            0xc0.. => return Some(at + 2),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const QUESTION: &[u8] = b"\x03www\x07example\0\0\x01\0\x01";
    const ADDRESS: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01";
    const GLUE: &[u8] = b"\x02ns\xc0\x10\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x02";
    const OPT: &[u8] = b"\0\0\x29\x04\xd0\0\0\x80\0\0\x06\0\x0a\0\x02ab";

    fn reply(counts: [u8; 3], records: &[&[u8]]) -> Vec<u8> {
        let [answers, authorities, additionals] = counts;
        let header = [7, 7, 0x85, 0x10, 0, 1, 0, answers, 0, authorities, 0, additionals];
        [&header, QUESTION, &records.concat()].concat()
    }

    fn truncated(mut reply: Vec<u8>) -> Option<Vec<u8>> {
        let length = truncate(&mut reply)?;
        reply.truncate(length);
        Some(reply)
    }

    #[test]
    fn the_question_and_the_opt_record_are_left() {
        let mut want = reply([0, 0, 0], &[]);
        want[2] |= 2;
        assert_eq!(truncated(reply([1, 0, 0], &[ADDRESS])), Some(want.clone()));
        assert_eq!(truncated(reply([0, 0, 0], &[])), Some(want));
        let mut want = reply([0, 0, 1], &[OPT]);
        want[2] |= 2;
        assert_eq!(truncated(reply([2, 1, 2], &[ADDRESS, ADDRESS, GLUE, GLUE, OPT])), Some(want.clone()));
        assert_eq!(truncated(reply([0, 0, 1], &[OPT])), Some(want.clone()), "it stays where it is");
        assert_eq!(truncated(reply([1, 0, 2], &[ADDRESS, OPT, GLUE])), Some(want), "wherever it stands");
        // No question, as in FORMERR.
        let mut bare = vec![7, 7, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(truncate(&mut bare), Some(12));
    }

    #[test]
    fn what_is_no_reply_is_none() {
        let whole = reply([1, 1, 2], &[ADDRESS, GLUE, GLUE, OPT]);
        for length in 0..whole.len() {
            assert_eq!(truncated(whole[..length].to_vec()), None, "{length}");
        }
    }
}
