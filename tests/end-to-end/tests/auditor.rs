//! The auditor, seen from outside: what it freezes, and what it lets be.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use test_support::{Holdfast, Options, Signal, eventually, free_address};

/// How long anything may take, on a busy machine.
const SOON: Duration = Duration::from_secs(60);
/// The rounds in which a disagreement must be met, and those that may be under way before and after.
const ROUNDS_MAX: u64 = 3 + 3;

/// A Holdfast with an auditor that is in a hurry, and can be counted.
struct Audited {
    holdfast: Holdfast,
    counts: SocketAddr,
}

impl Audited {
    /// With these groups, each with a zone of its name and `www` in it.
    fn start(groups: &[&str]) -> Self {
        let counts = free_address();
        let variables = vec![
            ("HOLDFAST_AUDITOR_EVERY_MS".to_owned(), "300".to_owned()),
            ("HOLDFAST_AUDITOR_LISTEN".to_owned(), counts.to_string()),
        ];
        let holdfast = Holdfast::start_with(Options { variables, ..Options::default() });
        for group in groups {
            let records = json!([
                {"name": "@", "type": "SOA", "ttl": 60, "records": [format!("ns.{group}. h.{group}. 1 60 60 60 60")]},
                {"name": "@", "type": "NS", "ttl": 60, "records": [format!("ns.{group}.")]},
                {"name": "ns", "type": "A", "ttl": 60, "records": ["192.0.2.53"]},
                {"name": "www", "type": "A", "ttl": 60, "records": ["192.0.2.1"]},
                {"name": "*.wild", "type": "TXT", "ttl": 60, "records": ["any"]},
                {"name": "sub", "type": "NS", "ttl": 60, "records": [format!("ns.sub.{group}.")]},
                {"name": "ns.sub", "type": "A", "ttl": 60, "records": ["192.0.2.54"]},
                {"name": "old", "type": "DNAME", "ttl": 60, "records": [format!("{group}.")]},
                {"name": "Alias", "type": "CNAME", "ttl": 60, "records": [format!("WWW.{group}.")]},
            ]);
            let zones = json!({ format!("{group}."): { "replace": records } });
            let begun =
                holdfast.post(&format!("/v1/groups/{group}/plans?wait=served"), &json!({"base": 0, "zones": zones}));
            assert_eq!(begun.status, 201, "{}", begun.body);
        }
        Self { holdfast, counts }
    }

    /// Gives `NAME.GROUP` an address.
    fn put(&self, group: &str, base: u64, name: &str, address: &str, options: &str) -> Value {
        let upsert = json!([{"name": name, "type": "A", "ttl": 60, "records": [address]}]);
        let plan = json!({"base": base, "zones": { format!("{group}."): { "upsert": upsert } }});
        let posted = self.holdfast.post(&format!("/v1/groups/{group}/plans{options}"), &plan);
        assert_eq!(posted.status, 201, "{}", posted.body);
        posted.json()
    }

    /// What the auditor has counted.
    fn count(&self, metric: &str) -> u64 {
        let mut text = String::new();
        let read = TcpStream::connect(self.counts).and_then(|mut stream| {
            write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
            stream.read_to_string(&mut text)
        });
        assert!(read.is_ok(), "the auditor does not answer: {read:?}");
        let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {metric} in {text}")).parse().unwrap()
    }

    fn rounds(&self) -> u64 {
        self.count("holdfast_auditor_rounds_total")
    }

    /// Lets the auditor look some more.
    fn let_rounds_pass(&self, rounds: u64) {
        let from = self.rounds();
        eventually("the auditor looks", SOON, || self.rounds() >= from + rounds);
    }

    /// Groups that the auditor has frozen, and why.
    fn frozen(&self) -> Vec<(String, String)> {
        let query = "select s.kind, coalesce(g.name, '*') as name, s.reason from stop s left join zone_group g on g.zone_group = s.zone_group order by 2";
        let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
        let rows = self.holdfast.rows(query);
        rows.iter().for_each(|row| assert_eq!(row["kind"], "auditor", "{row}"));
        rows.iter().map(|row| (text(row, "name"), text(row, "reason"))).collect()
    }
}

#[test]
fn f25_the_same_bug_in_all_copies_freezes_its_group_and_no_other() {
    let audited = Audited::start(&["sick.test", "well.test"]);
    audited.let_rounds_pass(4);
    assert_eq!((audited.frozen(), audited.count("holdfast_auditor_differences_total")), (vec![], 0));
    assert!(audited.count("holdfast_auditor_answers_total") >= 40);

    // All servers, bit for bit the same, answer something else than their generation: here because it is the history that
    // was changed, behind everybody's back.
    let spoil = |octet: u8| {
        let statement = format!(
            "set session_replication_role = replica; update change set value = set_byte(value, length(value) - 1, {octet}) \
             where owner = 'www' and type = 1 and zone = (select zone from zone where name = 'sick.test.')"
        );
        audited.holdfast.execute_as_superuser(&statement).unwrap();
    };
    let before = audited.rounds();
    spoil(99);
    eventually("the auditor freezes the group", SOON, || !audited.frozen().is_empty());
    let rounds = audited.rounds() - before;
    assert!(rounds <= ROUNDS_MAX, "after {rounds} rounds");
    let frozen = audited.frozen();
    assert_eq!(frozen.len(), 1, "{frozen:?}");
    assert_eq!(frozen[0].0, "sick.test");
    assert!(frozen[0].1.contains("www.sick.test. A") && frozen[0].1.contains("server"), "{frozen:?}");

    // The well one goes on, and the sick one stays where it is.
    let well = audited.put("well.test", 1, "new", "192.0.2.7", "?wait=served");
    assert_eq!(well["state"], "served");
    let sick = audited.put("sick.test", 1, "new", "192.0.2.7", "");
    assert_eq!(sick["state"], "admitted");
    audited.let_rounds_pass(4);
    assert_eq!(audited.holdfast.dig_short("new.sick.test", "A"), Vec::<String>::new());
    assert_eq!(audited.holdfast.dig_short("www.sick.test", "A"), ["192.0.2.1"]);

    // Thawed while the cause stands, it is frozen again; thawed afterwards, it moves on and stays thawed.
    let thaw = || {
        let thawed = audited.holdfast.post("/v1/groups/sick.test/thaw", &json!({"reason": "looked at"}));
        assert_eq!((thawed.status, &thawed.json()["thawed"]), (200, &json!(1)), "{}", thawed.body);
    };
    thaw();
    assert_eq!(audited.frozen(), vec![]);
    eventually("it is frozen again", SOON, || audited.frozen().len() == 1);
    spoil(1);
    thaw();
    eventually("the group moves on", SOON, || audited.holdfast.dig_short("new.sick.test", "A") == ["192.0.2.7"]);
    audited.let_rounds_pass(4);
    assert_eq!(audited.frozen(), vec![]);
    assert_eq!(audited.count("holdfast_auditor_freezes_total"), 2);
}

/// A server that is none: what it is asked it asks the real one, and spoils some of the answers on the way back.
fn spoiling_server(real: SocketAddr, lies: &'static [u8], truth: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || relay(client, real, lies, truth));
        }
    });
    address
}

fn relay(mut client: TcpStream, real: SocketAddr, lies: &[u8], truth: &[u8]) -> std::io::Result<()> {
    let mut server = TcpStream::connect(real)?;
    loop {
        let question = read_message(&mut client)?;
        write_message(&mut server, &question)?;
        let mut answer = read_message(&mut server)?;
        let is_of_shop = question.windows(4).any(|some| some == b"shop");
        if is_of_shop
            && !truth.is_empty()
            && let Some(at) = answer.windows(truth.len()).position(|some| some == truth)
        {
            answer[at..at + lies.len()].copy_from_slice(lies);
        }
        write_message(&mut client, &answer)?;
    }
}

fn read_message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

fn write_message(stream: &mut TcpStream, message: &[u8]) -> std::io::Result<()> {
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], message].concat())
}

/// Says once in a while that a server of this name lives at `address`, and reports all that the real one does, but of
/// `stale` always generation 1.
fn report_falsely(audited: &Audited, name: &str, address: SocketAddr, stale: Option<&str>) {
    std::thread::sleep(Duration::from_millis(100));
    let stale = stale.unwrap_or_default();
    let said = audited.holdfast.execute(&format!(
        "insert into server (server, instance, ring, answers_at) values ('{name}', md5('{name}')::uuid, 'fleet', '{address}')
             on conflict (server, instance) do update set seen = now();
         insert into report (server, instance, zone_group, generation, id)
             select '{name}', md5('{name}')::uuid, r.zone_group, g.generation, g.id
             from report r join zone_group z on z.zone_group = r.zone_group
             join generation g on g.zone_group = r.zone_group and g.generation = case when z.name = '{stale}' then 1 else r.generation end
             where r.server = 'server'
             on conflict (server, instance, zone_group) do update set generation = excluded.generation, id = excluded.id, at = now()",
    ));
    said.unwrap();
}

#[test]
fn f36_a_server_that_lies_about_what_it_serves_is_found() {
    let audited = Audited::start(&["shop.test", "blog.test", "well.test"]);
    for group in ["shop.test", "blog.test", "well.test"] {
        audited.put(group, 1, "new", "192.0.2.7", "?wait=served");
    }
    audited.let_rounds_pass(2);
    assert_eq!(audited.frozen(), vec![]);

    // One reports what everybody serves, and answers with another address. The other answers as everybody does, and
    // reports an older generation of one group.
    let spoils = spoiling_server(audited.holdfast.dns(), &[192, 0, 2, 66], &[192, 0, 2, 1]);
    let faithful = spoiling_server(audited.holdfast.dns(), &[], &[]);
    eventually("both are found", SOON, || {
        report_falsely(&audited, "liar", spoils, None);
        report_falsely(&audited, "stale", faithful, Some("blog.test"));
        audited.frozen().len() >= 2
    });
    let from = audited.rounds();
    eventually("the auditor looks again", SOON, || {
        report_falsely(&audited, "liar", spoils, None);
        report_falsely(&audited, "stale", faithful, Some("blog.test"));
        audited.rounds() >= from + 4
    });
    let frozen = audited.frozen();
    let names: BTreeSet<&str> = frozen.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["blog.test", "shop.test"].into(), "{frozen:?}");
    let reason = |group: &str| &frozen.iter().find(|(name, _)| name == group).unwrap().1;
    assert!(reason("shop.test").contains("server liar") && reason("shop.test").contains("192.0.2.66"), "{frozen:?}");
    assert!(
        reason("blog.test").contains("server stale") && reason("blog.test").contains("reports generation 1"),
        "{frozen:?}"
    );
}

#[test]
fn restarts_lag_and_silence_freeze_nothing() {
    let audited = Audited::start(&["busy.test", "calm.test"]);
    let done = Arc::new(AtomicBool::new(false));
    // Nobody is there at all, and yet it reports.
    let silent = free_address();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Not for ever, should something else fail meanwhile.
            for base in 1..1_000 {
                if done.load(Ordering::SeqCst) {
                    break;
                }
                audited.put("busy.test", base, "www", &format!("192.0.2.{}", base % 250 + 1), "");
                report_falsely(&audited, "silent", silent, None);
            }
        });
        for _ in 0..2 {
            audited.let_rounds_pass(2);
            audited.holdfast.signal("server", Signal::KILL);
            eventually("the server is back", SOON, || {
                audited.holdfast.get_admin("/health/ready").is_some_and(|it| it.status == 200)
            });
        }
        // It hangs for as long as it counts as live, and longer; then it is behind.
        audited.holdfast.signal("server", Signal::STOP);
        audited.let_rounds_pass(4);
        audited.holdfast.signal("server", Signal::CONT);
        for enactor in ["enactor-1", "enactor-2"] {
            audited.holdfast.signal(enactor, Signal::STOP);
        }
        audited.let_rounds_pass(4);
        for enactor in ["enactor-1", "enactor-2"] {
            audited.holdfast.signal(enactor, Signal::CONT);
        }
        audited.let_rounds_pass(4);
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(audited.frozen(), vec![]);
    assert_eq!(audited.count("holdfast_auditor_differences_total"), 0);
    assert!(audited.count("holdfast_auditor_silent_servers") >= 1);
}
