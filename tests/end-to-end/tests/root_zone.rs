//! Sixteen successive versions of the real root zone, imported over REST while questions are asked.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hickory_proto::rr::RData;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;
use test_support::{Holdfast, ask_tcp, query};
use zone_model::{Name, RecordType, zone_file};

/// What one version says, as text: for each delegation its servers and its DS records.
struct Version {
    text: String,
    serial: u32,
    servers: BTreeMap<Name, BTreeSet<String>>,
    signers: BTreeMap<Name, BTreeSet<String>>,
}

impl Version {
    fn read(file: &Path) -> Self {
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
        let (mut serial, mut servers, mut signers) = (0, BTreeMap::new(), BTreeMap::new());
        let limits = zone_file::Limits::default();
        let mut take = |record: zone_file::ZoneFileRecord| {
            let data = record.data.to_text(record.rtype).to_lowercase();
            let by_name: &mut BTreeMap<Name, BTreeSet<String>> = match record.rtype {
                RecordType::NS if !record.owner.is_root() => &mut servers,
                RecordType::DS => &mut signers,
                RecordType::SOA => {
                    serial = zone_model::Soa::from_data(&record.data).unwrap().serial.0;
                    return;
                }
                _ => return,
            };
            by_name.entry(record.owner).or_default().insert(data);
        };
        zone_file::read(text.as_bytes(), &Name::root(), limits, &mut take).unwrap();
        Self { text, serial, servers, signers }
    }
}

fn versions() -> Option<Vec<PathBuf>> {
    let Some(folder) = std::env::var_os("HOLDFAST_ZONES").filter(|folder| !folder.is_empty()) else {
        eprintln!("skipped: HOLDFAST_ZONES names no folder with root-NN.zone.gz");
        return None;
    };
    Some((1..=16).map(|number| Path::new(&folder).join(format!("root-{number:02}.zone.gz"))).collect())
}

#[test]
fn sixteen_root_zones_are_each_answered_as_they_say() {
    let Some(files) = versions() else { return };
    let holdfast = Holdfast::start();
    let (done, newest) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        let _done = Done(&done);
        scope.spawn(|| serials_never_fall(&holdfast, &done, &newest));
        let mut base = 0;
        let mut slowest = 0.0_f64;
        for (number, file) in files.iter().enumerate() {
            let version = Version::read(file);
            let started = Instant::now();
            let path = format!("/v1/groups/root/import?zone=@root&base={base}&wait=served&reason=version-{number}");
            let imported = holdfast.post_text(&path, &version.text);
            slowest = slowest.max(started.elapsed().as_secs_f64());
            assert_eq!(imported.status, 201, "{}: {}", file.display(), imported.body);
            assert_eq!(imported.json()["state"], "served");
            base = imported.json()["generation"].as_i64().unwrap();
            newest.store(version.serial, Ordering::SeqCst);
            assert_eq!(usize::try_from(base).unwrap(), number + 1);
            answers_are_those_of(&holdfast, &version);
        }
        println!("slowest import of one version, from POST to the answer with wait=served: {slowest:.2} s");
    });
    // The first version is still there to be read, and the last comes out as it went in.
    let first = Version::read(&files[0]);
    let of_com = holdfast.get("/v1/zones/@root/rrsets?name=com.&type=NS&at=1").json();
    let records = of_com["items"][0]["records"].as_array().unwrap();
    assert_eq!(records.len(), first.servers[&Name::parse("com.").unwrap()].len());
    let exported = holdfast.get("/v1/zones/@root/file");
    let again = holdfast.post_text("/v1/groups/root/import?zone=@root&base=16", &exported.body);
    assert_eq!((again.status, again.json()["generation"].as_i64()), (200, Some(16)), "{}", again.body);
}

/// Every delegation's referral and DS, over TCP so that nothing is cut off.
fn answers_are_those_of(holdfast: &Holdfast, version: &Version) {
    assert!(version.servers.len() > 1_500, "only {} delegations were read", version.servers.len());
    assert_eq!(holdfast.dig_short(".", "SOA")[0].split(' ').nth(2), Some(version.serial.to_string().as_str()));
    for (name, servers) in &version.servers {
        let text = name.to_string();
        let referral = ask_tcp(holdfast.dns(), &query(&text, "NS")).unwrap();
        let given: BTreeSet<String> = referral.authorities.iter().map(|record| server_of(&record.data)).collect();
        assert_eq!(&given, servers, "referral to {text} in version {}", version.serial);
        assert!(!referral.metadata.authoritative, "a referral has no authority: {text}");
        let about_keys = ask_tcp(holdfast.dns(), &query(&text, "DS")).unwrap();
        assert!(about_keys.metadata.authoritative, "DS is the parent's to say: {text}");
        let expected = version.signers.get(name).map_or(0, BTreeSet::len);
        assert_eq!(about_keys.answers.len(), expected, "DS of {text} in version {}", version.serial);
    }
}

/// A name server as the zone file spells it.
fn server_of(data: &RData) -> String {
    let RData::NS(server) = data else { panic!("{data} is no name server") };
    server.0.to_ascii().to_lowercase()
}

/// Ends the asking thread also when a test fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Asks without a pause: an answer is never older than the newest that was reported as served, nor than the last one.
fn serials_never_fall(holdfast: &Holdfast, done: &AtomicBool, newest: &AtomicU32) {
    let mut last = 0;
    while !done.load(Ordering::SeqCst) {
        let at_least = newest.load(Ordering::SeqCst).max(last);
        let answer = holdfast.ask(".", "SOA");
        let Some(record) = answer.answers.first() else {
            assert_eq!(at_least, 0, "an answer without a SOA, after one with");
            continue;
        };
        let RData::SOA(soa) = &record.data else { panic!("{record} is no SOA") };
        let serial = soa.serial;
        assert!(serial >= at_least, "serial {serial} after {at_least}");
        last = serial;
    }
}
