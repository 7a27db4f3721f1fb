//! Readers: people and programs who ask for what stood at a generation. They read in several moments, so they look
//! afterwards whether the floor has passed it: then it was retired, and they know that they know nothing.

use crate::database::Contents;
use crate::events::Event;
use crate::fault::Fault;
use crate::ledger::Verdict;
use crate::words::ZONES;
use crate::world::World;
use zone_model::Version;

/// What a reader has read so far.
#[derive(Debug)]
pub(crate) struct Reading {
    group: usize,
    at: Version,
    /// How often the database had been restored when it began.
    restores: u32,
    zones: usize,
    contents: Option<Contents>,
}

impl World {
    /// A reader chooses a generation.
    pub(crate) fn reader_asks(&mut self) {
        if self.is_calm {
            return;
        }
        self.after(500, 4_000, Event::Reader(None));
        if !self.database.is_up {
            return;
        }
        let group = self.random.below(self.layout.groups);
        let rows = &self.database.tables.groups[group];
        // Mostly what is about to be retired.
        let readable: Vec<Version> =
            rows.generations.iter().map(|one| one.version).filter(|one| one.generation >= rows.floor).collect();
        if readable.is_empty() {
            return;
        }
        let nth = if self.random.percent(50) { 0 } else { self.random.below(readable.len()) };
        let reading = Reading { group, at: readable[nth], restores: self.restores, zones: 0, contents: None };
        self.after(0, 30, Event::Reader(Some(Box::new(reading))));
    }

    /// A reader reads one zone after the other, and looks at the floor at last.
    pub(crate) fn reader_reads(&mut self, mut reading: Box<Reading>) -> Verdict {
        if !self.database.is_up || self.restores != reading.restores {
            return Ok(());
        }
        let rows = &self.database.tables.groups[reading.group];
        if reading.zones < ZONES {
            let read = rows.contents(&self.words.groups[reading.group], reading.at.generation);
            reading.contents.get_or_insert(read).take_zone(reading.zones, &read);
            reading.zones += 1;
            let ms = self.message_ms() + self.random.between(0, 300);
            self.after(ms, ms, Event::Reader(Some(reading)));
            return Ok(());
        }
        if rows.floor > reading.at.generation && !self.has(Fault::ReaderLooksBefore) {
            self.figures.count("readers overtaken by a floor");
            return Ok(());
        }
        self.figures.count("generations read");
        reading.contents.map_or(Ok(()), |contents| self.ledgers[reading.group].read(reading.at, &contents))
    }
}
