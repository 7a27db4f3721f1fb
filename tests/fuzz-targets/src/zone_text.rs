//! The text of a zone file.

use zone_model::zone_file::{Limits, Reader, ZoneFileFault, ZoneFileRecord, read, write};
use zone_model::{Name, RecordData, RecordType};

/// `$GENERATE` makes much of little; here it may make so much.
const LIMITS: Limits = Limits { records: 2_000, octets: 1 << 18, faults: 20 };

/// Reads it in one piece and in several, and reads again what is written of it.
///
/// # Panics
/// That is not the same.
pub fn check(input: &[u8]) {
    let origin = Name::parse("z.").unwrap_or_else(|why| panic!("{why}"));
    let mut records = Vec::new();
    let whole = read(input, &origin, LIMITS, &mut |record| records.push(record));
    assert!(records.len() <= LIMITS.records, "{} records", records.len());
    if let Err(faults) = &whole {
        assert!(!faults.is_empty() && faults.len() <= LIMITS.faults + 1, "{} faults", faults.len());
        assert!(faults.iter().all(|fault| fault.line > 0 && fault.column > 0 && !fault.message.is_empty()));
    }
    let pieces = in_pieces(input, &origin);
    assert_eq!(pieces, (records.clone(), whole.clone()), "cut into pieces, it is read otherwise");
    for record in &records {
        check_record(record);
    }
    if whole.is_ok() {
        check_written(&records, &origin);
    }
}

fn in_pieces(input: &[u8], origin: &Name) -> (Vec<ZoneFileRecord>, Result<(), Vec<ZoneFileFault>>) {
    let (mut reader, mut records) = (Reader::new(origin, LIMITS), Vec::new());
    // Of sizes that the text itself chooses.
    let mut rest = input;
    while let Some(first) = rest.first() {
        let (piece, after) = rest.split_at(rest.len().min(1 + usize::from(first % 7)));
        reader.push(piece, &mut |record| records.push(record));
        rest = after;
    }
    let end = reader.finish(&mut |record| records.push(record));
    (records, end)
}

/// What is a record can be told in wire form and in text.
fn check_record(record: &ZoneFileRecord) {
    assert!(record.rtype.is_data() && record.ttl <= zone_model::TTL_MAX, "{record:?}");
    let wire = record.data.as_wire();
    assert_eq!(RecordData::from_wire(record.rtype, wire).as_ref(), Ok(&record.data), "{record:?}");
}

fn check_written(records: &[ZoneFileRecord], origin: &Name) {
    let parts = |record: &ZoneFileRecord| (record.owner.clone(), record.ttl, record.rtype, record.data.clone());
    let mut before: Vec<(Name, u32, RecordType, RecordData)> = records.iter().map(parts).collect();
    let mut text = String::new();
    write(&mut text, origin, before.iter().map(|(owner, ttl, rtype, data)| (owner, *ttl, *rtype, data)))
        .unwrap_or_else(|why| panic!("{why}"));
    // A last SOA that is equal to the first ends a transfer, and is no record.
    let soas = before.iter().filter(|(_, _, rtype, _)| *rtype == RecordType::SOA).count();
    let mut after = Vec::new();
    let limits = Limits { octets: 1 << 22, ..LIMITS };
    let again = read(text.as_bytes(), origin, limits, &mut |record| after.push(parts(&record)));
    assert_eq!(again, Ok(()), "what was written cannot be read:\n{text}");
    if soas > 1 && after.len() + 1 == before.len() {
        before.pop();
    }
    let octets = |(owner, ttl, rtype, data): &(Name, u32, RecordType, RecordData)| {
        (owner.as_wire().to_vec(), *ttl, *rtype, data.as_wire().to_vec())
    };
    let [before, after] = [before, after].map(|records| records.iter().map(octets).collect::<Vec<_>>());
    assert!(before == after, "what was written is read otherwise:\n{text}");
}
