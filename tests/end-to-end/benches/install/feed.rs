//! Changes that are admitted beforehand, and given to the server at a pace: one record each, in one group.

use std::fmt::Write as _;
use test_support::Holdfast;
use zone_model::{Content, Digest, Generation, Id, Key, Name, RecordData, RecordSet, RecordType, SetKey};

/// Generations that are written with one statement.
const BATCH: usize = 2_000;
/// How often heads move while changes are given to the server, in milliseconds.
const MOVE_EVERY_MS: u64 = 5;

/// A group's history, and how far its head is.
pub(crate) struct Feed {
    group: i64,
    zone: i64,
    name: Name,
    names: usize,
    /// The newest generation that is admitted.
    tip: (i64, Id, Digest),
    /// The one that is in force.
    head: i64,
    /// How many changes were made up.
    count: usize,
}

impl Feed {
    /// The history of the group that has this zone, whose names are `n0000000` and so on, each with the address that its
    /// number is.
    pub(crate) fn of(holdfast: &Holdfast, zone: &str, names: usize) -> Self {
        let found = holdfast.rows(&format!(
            "select z.zone, z.zone_group, g.generation, encode(g.id, 'hex') as id, encode(g.digest, 'hex') as digest
             from zone z join generation g using (zone_group) where z.name = '{zone}' order by g.generation desc limit 1"
        ));
        let [found] = &found[..] else { panic!("the zone {zone} was not found") };
        let number = |field: &str| found[field].as_i64().unwrap();
        let octets = |field: &str| {
            let text = found[field].as_str().unwrap();
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect::<Vec<_>>()
        };
        let tip = number("generation");
        Self {
            group: number("zone_group"),
            zone: number("zone"),
            name: Name::parse(zone).unwrap(),
            names,
            tip: (tip, Id::from_bytes(&octets("id")).unwrap(), Digest::from_bytes(&octets("digest")).unwrap()),
            head: tip,
            count: 0,
        }
    }

    /// Writes so many generations past the API and its doors: what they would have let through, for admitting is another benchmark.
    /// Ids and digests are right, because the server looks at them.
    pub(crate) fn admit(&mut self, holdfast: &Holdfast, changes: usize) {
        let mut left = changes;
        while left > 0 {
            let batch = left.min(BATCH);
            let rows: Vec<String> = (0..batch).map(|_| self.next_change()).collect();
            holdfast.execute_as_superuser(&self.statements(&rows)).unwrap();
            left -= batch;
        }
        // As would have been done by itself in the time that admitting them takes.
        holdfast.execute_as_superuser("analyze").unwrap();
    }

    /// The next change, as values of a row: generation, id, digest, owner, value.
    fn next_change(&mut self) -> String {
        let (number, round) = (self.count % self.names, self.count / self.names);
        let owner = Name::parse(&format!("n{number:07}.{}", self.name)).unwrap();
        let (key, before) = address(&owner, number, round);
        let (_, after) = address(&owner, number, round + 1);
        let (generation, parent, digest) = self.tip;
        let digest = digest.plus(key.digest(&self.name, &after)).minus(key.digest(&self.name, &before));
        let id = Id::of(&parent, Generation::new(generation + 1).unwrap(), &digest);
        self.tip = (generation + 1, id, digest);
        self.count += 1;
        let value = after.to_value().iter().fold(String::new(), |mut hex, octet| {
            write!(hex, "{octet:02x}").unwrap();
            hex
        });
        format!("({}, '\\x{id}'::bytea, '\\x{digest}'::bytea, 'n{number:07}', '\\x{value}'::bytea)", generation + 1)
    }

    fn statements(&self, rows: &[String]) -> String {
        let Self { group, zone, .. } = self;
        format!(
            "set session_replication_role = replica;
             create temporary table admitted as select nextval('plan_number') as plan, v.*
                 from (values {}) as v (generation, id, digest, owner, value);
             insert into plan (plan, zone_group, base, digest_delta, changes, added, replaced, deleted, absent)
                 select a.plan, {group}, a.generation - 1, sha256(''), 1, 0, 1, 0, 0 from admitted a;
             insert into change (zone, owner, type, covered, plan, value)
                 select {zone}, '', 65536, 0, a.plan, '\\x640000000000000000'::bytea from admitted a
                 union all select {zone}, a.owner, 1, 0, a.plan, a.value from admitted a;
             insert into generation (zone_group, generation, plan, id, digest)
                 select {group}, a.generation, a.plan, a.id, a.digest from admitted a order by a.generation;",
            rows.join(",")
        )
    }

    /// Moves the head on by so many generations, at this pace, as an enactor would: in steps of some milliseconds, each in a
    /// transaction of its own. Ends when the last has moved.
    pub(crate) fn move_on(&mut self, holdfast: &Holdfast, changes: usize, a_second: usize) {
        let (group, from, upto) = (self.group, self.head, self.head + changes as i64);
        assert!(upto <= self.tip.0, "fewer changes are admitted than are wanted");
        let step = (a_second as u64 * MOVE_EVERY_MS / 1_000).max(1);
        let paced = format!(
            "do $$
             declare
                 head bigint := {from};
                 began timestamptz := clock_timestamp();
             begin
                 while head < {upto} loop
                     insert into head_move (zone_group, ring, generation, by)
                         select {group}, 'fleet', g, 'bench' from generate_series(head + 1, least(head + {step}, {upto})) g;
                     head := least(head + {step}, {upto});
                     perform pg_notify('holdfast_moved', '');
                     commit;
                     perform pg_sleep(greatest(0, (head - {from})::float8 / {a_second} - extract(epoch from clock_timestamp() - began)));
                 end loop;
             end $$"
        );
        holdfast.execute(&paced).unwrap();
        self.head = upto;
    }

    /// The generation in force.
    pub(crate) const fn head(&self) -> i64 {
        self.head
    }
}

fn address(owner: &Name, number: usize, round: usize) -> (Key, Content) {
    let [.., a, b] = (number as u32).to_be_bytes();
    let octets = if round == 0 { [198, 51, a, b] } else { [10, round as u8, a, b] };
    let data = RecordData::from_wire(RecordType::A, &octets).unwrap();
    let set = RecordSet::new(owner.clone(), RecordType::A, 300, vec![data]).unwrap();
    (Key::Records(SetKey::new(owner, RecordType::A)), Content::Records(set))
}
