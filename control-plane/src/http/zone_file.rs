//! A zone file on its way in: records are gathered into sets as they come, every fault with line and column.

use super::problem::Problem;
use super::violations::{ViolationView, Violations};
use std::collections::HashMap;
use zone_model::zone_file::{Limits, Reader, ZoneFileFault, ZoneFileRecord};
use zone_model::{Name, Placed, RecordData, RecordSet, RecordType, SetKey, ZoneContents};

/// How many faults are told; after so many the file is not a zone file.
const FAULTS_MAX: usize = 1_000;

/// Reads one zone file, in pieces.
pub(crate) struct FileReader {
    zone: Name,
    reader: Reader,
    sets: Sets,
}

#[derive(Default)]
struct Sets {
    /// In the order of the file.
    sets: Vec<SetInFile>,
    index: HashMap<SetKey, usize>,
    violations: Violations,
}

struct SetInFile {
    line: u32,
    owner: Name,
    rtype: RecordType,
    ttl: u32,
    records: Vec<RecordData>,
}

impl FileReader {
    /// Starts at the first line; relative names are below the zone's until an `$ORIGIN`.
    pub(crate) fn new(zone: &Name) -> Self {
        let limits = Limits { faults: FAULTS_MAX, ..Limits::default() };
        Self { zone: zone.clone(), reader: Reader::new(zone, limits), sets: Sets::default() }
    }

    /// Whether a limit was met, so that nothing more needs to be read.
    pub(crate) fn is_stopped(&self) -> bool {
        self.reader.is_stopped()
    }

    /// Reads on.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        let (zone, sets) = (&self.zone, &mut self.sets);
        self.reader.push(piece, &mut |record| sets.add(zone, record));
    }

    /// The file is at its end: the zone's contents, or all that is wrong with them.
    pub(crate) fn finish(self) -> Result<ZoneContents, Problem> {
        let Self { zone, reader, mut sets } = self;
        let faults = reader.finish(&mut |record| sets.add(&zone, record)).err().unwrap_or_default();
        for ZoneFileFault { line, column, message } in faults {
            sets.violations.add(violation(&zone, None, format!("line {line}, column {column}"), message));
        }
        let mut placed = Vec::with_capacity(sets.sets.len());
        for set in sets.sets {
            let place = format!("line {}", set.line);
            match RecordSet::new(set.owner.clone(), set.rtype, set.ttl, set.records) {
                Ok(value) => placed.push(Placed { place, value }),
                Err(error) => {
                    sets.violations.add(violation(&zone, Some((&set.owner, set.rtype)), place, error.to_string()));
                }
            }
        }
        let mut violations = sets.violations;
        if !violations.is_empty() {
            // What could not be read is missing, so nothing can be said about the whole.
            return Err(Problem::InvalidPlan { violations });
        }
        ZoneContents::new(zone, placed).map_err(|found| {
            violations.extend(found);
            Problem::InvalidPlan { violations }
        })
    }
}

impl Sets {
    fn add(&mut self, zone: &Name, record: ZoneFileRecord) {
        let covered = record.data.covered_type().unwrap_or(RecordType(0));
        let key = SetKey::covering(&record.owner, record.rtype, covered);
        let Some(&at) = self.index.get(&key) else {
            self.index.insert(key, self.sets.len());
            let ZoneFileRecord { line, owner, ttl, rtype, data } = record;
            self.sets.push(SetInFile { line, owner, rtype, ttl, records: vec![data] });
            return;
        };
        let Some(set) = self.sets.get_mut(at) else { return };
        if set.ttl != record.ttl {
            // RFC 2181 §5.2: a set has one time to live. Taking the least, as some do, would change what was written.
            let message =
                format!("the ttl {} differs from {}, which the set has at line {}", record.ttl, set.ttl, set.line);
            let place = format!("line {}", record.line);
            self.violations.add(violation(zone, Some((&record.owner, record.rtype)), place, message));
        }
        set.records.push(record.data);
    }
}

fn violation(zone: &Name, of: Option<(&Name, RecordType)>, place: String, message: String) -> ViolationView {
    ViolationView {
        place,
        zone: Some(zone.to_string()),
        name: of.map(|(owner, _)| owner.to_string()),
        rtype: of.map(|(_, rtype)| rtype.to_string()),
        rule: None,
        message,
    }
}

#[cfg(test)]
mod tests;
