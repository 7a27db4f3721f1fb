//! Compares an answer with what the history says of the generation that it tells. Pure.

use super::reply::{Record, Reply};
use zone_model::{Name, RecordSet, RecordType, Serial, Soa};

/// What should be answered.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// This record set; of a SOA also the serial that it should have.
    Set(RecordSet, Option<Serial>),
    /// No record of this name and type.
    Nothing,
    /// The history holds what it never wrote, and why: whatever is answered, it is something else.
    Unreadable(String),
}

/// What an answer was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// As it should.
    Agrees,
    /// Something else, in words.
    Differs(String),
    /// Nothing can be said: cut short, or not answered.
    Silent,
}

/// NOERROR and NXDOMAIN say something about a name. Everything else is a server that cannot, or will not.
const NO_ERROR: u8 = 0;
const NO_SUCH_NAME: u8 = 3;

/// Compares.
pub(super) fn compare(name: &Name, rtype: RecordType, expected: &Expected, reply: &Reply) -> Found {
    if reply.truncated || !matches!(reply.rcode, NO_ERROR | NO_SUCH_NAME) {
        return Found::Silent;
    }
    let answered: Vec<&Record> =
        reply.answers.iter().filter(|record| record.rtype == rtype && record.owner == *name).collect();
    match expected {
        Expected::Nothing if answered.is_empty() => Found::Agrees,
        Expected::Nothing => Found::Differs(format!("answers {}, which is gone", words(&answered))),
        Expected::Unreadable(why) => {
            Found::Differs(format!("answers {}, and the history cannot be read: {}", words(&answered), short(why)))
        }
        Expected::Set(set, _) if answered.is_empty() => {
            let how = if reply.authoritative { "denies" } else { "does not answer for" };
            Found::Differs(format!("{how} {}", set_words(set)))
        }
        Expected::Set(set, serial) if is(&answered, set, *serial) => Found::Agrees,
        Expected::Set(set, serial) => {
            let serial = serial.map(|serial| format!(" (serial {serial})")).unwrap_or_default();
            Found::Differs(format!("answers {}, and not {}{serial}", words(&answered), set_words(set)))
        }
    }
}

/// Whether these are the set: the same time to live and the same data, in any order.
fn is(answered: &[&Record], set: &RecordSet, serial: Option<Serial>) -> bool {
    let rtype = set.rtype();
    let mut found: Vec<Vec<u8>> = Vec::new();
    for record in answered {
        if record.ttl != set.ttl() {
            return false;
        }
        let mut data = record.data.canonical(rtype).into_owned();
        if rtype == RecordType::SOA {
            // The history keeps it without its serial.
            let Ok(soa) = Soa::from_data(&record.data) else { return false };
            if serial.is_some_and(|serial| serial != soa.serial) {
                return false;
            }
            data = Soa { serial: Serial(0), ..soa }.to_data().canonical(rtype).into_owned();
        }
        found.push(data);
    }
    let mut wanted: Vec<Vec<u8>> = set.records().iter().map(|data| data.canonical(rtype).into_owned()).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    found == wanted
}

fn words(answered: &[&Record]) -> String {
    let ttl = answered.first().map_or(0, |record| record.ttl);
    let data: Vec<String> = answered.iter().take(4).map(|record| record.data.to_text(record.rtype)).collect();
    short(&format!("{ttl} {}", data.join(", ")))
}

fn set_words(set: &RecordSet) -> String {
    let data: Vec<String> = set.records().iter().take(4).map(|data| data.to_text(set.rtype())).collect();
    short(&format!("{} {}", set.ttl(), data.join(", ")))
}

fn short(text: &str) -> String {
    const LENGTH_MAX: usize = 120;
    if text.chars().count() <= LENGTH_MAX {
        return text.to_owned();
    }
    text.chars().take(LENGTH_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zone_model::RecordData;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn data(rtype: RecordType, text: &str) -> RecordData {
        RecordData::parse(rtype, text, &Name::root()).unwrap()
    }

    fn set(texts: &[&str]) -> Expected {
        let records = texts.iter().map(|text| data(RecordType::A, text)).collect();
        Expected::Set(RecordSet::new(name("www.example."), RecordType::A, 60, records).unwrap(), None)
    }

    fn reply(rcode: u8, ttl: u32, texts: &[&str]) -> Reply {
        let record = |text: &&str| Record {
            owner: name("WWW.example."),
            rtype: RecordType::A,
            ttl,
            data: data(RecordType::A, text),
        };
        let answers = texts.iter().map(record).collect();
        Reply { rcode, authoritative: true, truncated: false, told: None, answers }
    }

    fn compared(expected: &Expected, reply: &Reply) -> Found {
        compare(&name("www.example."), RecordType::A, expected, reply)
    }

    #[test]
    fn sets_are_alike_in_any_order_and_unlike_in_anything_else() {
        let both = set(&["192.0.2.1", "192.0.2.2"]);
        assert_eq!(compared(&both, &reply(0, 60, &["192.0.2.2", "192.0.2.1"])), Found::Agrees);
        for differs in [
            reply(0, 61, &["192.0.2.2", "192.0.2.1"]),
            reply(0, 60, &["192.0.2.2"]),
            reply(0, 60, &["192.0.2.2", "192.0.2.1", "192.0.2.3"]),
            reply(0, 60, &[]),
            reply(3, 60, &[]),
        ] {
            assert!(matches!(compared(&both, &differs), Found::Differs(_)), "{differs:?}");
        }
        assert_eq!(compared(&Expected::Nothing, &reply(3, 60, &[])), Found::Agrees);
        assert!(matches!(compared(&Expected::Nothing, &reply(0, 60, &["192.0.2.1"])), Found::Differs(_)));
    }

    #[test]
    fn who_cannot_answer_disagrees_with_nothing() {
        let one = set(&["192.0.2.1"]);
        for rcode in [1, 2, 4, 5] {
            assert_eq!(compared(&one, &reply(rcode, 60, &[])), Found::Silent);
        }
        let cut = Reply { truncated: true, ..reply(0, 60, &[]) };
        assert_eq!(compared(&one, &cut), Found::Silent);
    }

    #[test]
    fn a_serial_is_compared_apart() {
        let soa = |serial: u32| data(RecordType::SOA, &format!("ns.example. h.example. {serial} 1 2 3 4"));
        let stored = RecordSet::new(name("example."), RecordType::SOA, 60, vec![soa(0)]).unwrap();
        let answer = Record { owner: name("example."), rtype: RecordType::SOA, ttl: 60, data: soa(7) };
        let reply = Reply { rcode: 0, authoritative: true, truncated: false, told: None, answers: vec![answer] };
        let compared = |serial| {
            compare(&name("example."), RecordType::SOA, &Expected::Set(stored.clone(), Some(Serial(serial))), &reply)
        };
        assert_eq!(compared(7), Found::Agrees);
        assert!(matches!(compared(8), Found::Differs(_)));
    }
}
