//! Who is answered how often, who is told more than plain answers, and whether all of it is counted.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use server::snapshot::ZoneNumber;
use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::time::{Duration, Instant};
use support::postgres::Postgres;
use support::program::{Program, eventually};
use support::wire::{Question, generation_told, to_text};
use support::{History, changes_of, name_of};

const ZONE: &str = "$TTL 300\n@ SOA ns1 hostmaster 40 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.1\n\
                    *.wild A 192.0.2.2\nlarge TXT \"$LARGE\"\n";
/// How many questions a flood is.
const FLOOD: usize = 300;
/// What the limit is set to.
const PER_SECOND: usize = 20;

fn history() -> History {
    let mut history = History::new(1, &[(1, "example.")]);
    let large = vec!["x".repeat(250); 6].join("\" \"");
    history.admit(changes_of(ZoneNumber(1), &name_of("example."), &ZONE.replace("$LARGE", &large)));
    history
}

/// All figures of `/metrics`, by name and labels.
fn figures(program: &Program) -> BTreeMap<String, f64> {
    let (status, text) = program.get("/metrics");
    assert_eq!(status, 200);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.map(|line| line.strip_prefix("holdfast_server_").unwrap().rsplit_once(' ').unwrap());
    lines.map(|(name, figure)| (name.to_owned(), figure.parse().unwrap())).collect()
}

/// The sum of all figures whose name with labels begins and goes on with these.
fn sum(figures: &BTreeMap<String, f64>, name: &str, labels: &[&str]) -> f64 {
    let of = figures.iter().filter(|(key, _)| key.split('{').next() == Some(name));
    of.filter(|(key, _)| labels.iter().all(|label| key.contains(label))).map(|(_, figure)| figure).sum()
}

/// Asks all of it as fast as it goes; how many whole replies came, and how many that say that all is missing.
fn flood(program: &Program, questions: &[String]) -> (usize, usize, Duration) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
    let began = Instant::now();
    for question in questions {
        socket.send_to(&Question::parse(question).to_wire(), program.dns[0]).unwrap();
    }
    let (mut whole, mut truncated, mut reply) = (0, 0, [0; 1500]);
    while let Ok(length) = socket.recv(&mut reply) {
        if reply[2] & 2 == 0 {
            whole += 1;
        } else {
            truncated += 1;
            let said = to_text(&reply[..length]);
            assert!(!said.contains("answer") && !said.contains("authority"), "{said}");
            // Whoever asked with EDNS is answered with EDNS.
            assert!(said.contains(" edns=1232/0"), "{said}");
        }
    }
    (whole, truncated, began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_limited_and_all_of_it_is_counted() {
    let Some(postgres) = Postgres::start().await else { return };
    postgres.write(&history(), 0).await;
    let limit = PER_SECOND.to_string();
    let program = Program::start_with(&postgres.url(), "one", &["--rrl-per-second", &limit, "--udp-sockets", "2"]);
    program.wait_ready();
    let repeat = |question: &str| vec![question.to_owned(); FLOOD];
    let numbered = |end: &str| (0..FLOOD).map(|number| format!("n{number}.{end} edns")).collect::<Vec<_>>();
    let floods = [
        repeat("www.example. A edns"),
        repeat("www.example. AAAA edns"),
        // Names made up share one count, below an asterisk, in a zone, and in no zone; so do errors of the slow path.
        numbered("wild.example. A"),
        numbered("example. A"),
        numbered("nowhere.test. A"),
        repeat("www.example. A edns opcode=4"),
    ];
    let mut got = (0, 0);
    for questions in &floods {
        let (whole, truncated, elapsed) = flood(&program, questions);
        let allowed = PER_SECOND * (2 + elapsed.as_secs() as usize);
        assert!((1..=allowed).contains(&whole), "{whole} of {} in {elapsed:?}", questions[0]);
        assert!(truncated > 0, "{}", questions[0]);
        // About as many are dropped as are truncated.
        assert!((whole + truncated) * 3 < FLOOD * 2 + allowed * 3, "{whole} and {truncated} of {}", questions[0]);
        got = (got.0 + whole, got.1 + truncated);
        // All errors are one, so the next flood of them waits for another second.
        std::thread::sleep(Duration::from_secs(1));
    }
    // Who is not forged comes by TCP, and is not limited.
    let questions: Vec<_> = repeat("www.example. A edns").iter().map(|text| Question::parse(text).to_wire()).collect();
    assert!(program.ask_tcp(&questions).iter().all(|reply| to_text(reply).contains("192.0.2.1")));

    let (whole, truncated) = (got.0 as f64, got.1 as f64);
    let sent = (FLOOD * floods.len()) as f64;
    eventually("all are counted", || sum(&figures(&program), "queries_total", &["\"udp\""]) == sent);
    let figures = figures(&program);
    let of = |name: &str, labels: &[&str]| sum(&figures, name, labels);
    assert_eq!(of("replies_total", &["\"udp\""]), whole + truncated);
    assert_eq!(of("reply_size_bytes_count", &["\"udp\""]), whole + truncated);
    assert_eq!(of("dropped_total", &["rate-limited"]), sent - whole - truncated);
    assert_eq!((of("slipped_total", &[]), of("truncated_total", &["\"udp\""])), (truncated, truncated));
    assert_eq!(of("queries_total", &["\"udp\"", "\"ipv4\"", "\"A\""]), sent - FLOOD as f64);
    assert_eq!(of("queries_total", &["\"udp\"", "\"AAAA\""]), FLOOD as f64);
    assert_eq!(of("queries_total", &["\"tcp\"", "\"A\""]), FLOOD as f64);
    assert_eq!(of("queries_total", &["\"ipv6\""]), 0.0);
    assert!(of("answer_duration_seconds_count", &["\"udp\""]) > 0.0);
    let timed = of("answer_duration_seconds_count", &["\"tcp\""]);
    assert!(timed > 0.0 && of("answer_duration_seconds_sum", &["\"tcp\""]) > 0.0, "{timed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_limit_everything_is_answered_and_sorted_into_its_kind() {
    let Some(postgres) = Postgres::start().await else { return };
    postgres.write(&history(), 0).await;
    let program = Program::start(&postgres.url(), "one");
    program.wait_ready();
    let ask =
        |at: usize, question: &str| support::program::ask_udp(program.dns[at], &Question::parse(question).to_wire());
    for _ in 0..500 {
        ask(0, "www.example. A");
    }
    assert!(to_text(&ask(1, "large.example. TXT")).contains(" tc "));
    ask(1, "www.example. CAA");
    ask(1, "www.example. TYPE4711");
    let mut malformed = Question::parse("www.example. A").to_wire();
    malformed[5] = 2;
    program.ask_udp(&malformed);
    program.ask_tcp(&[Question::parse("large.example. TXT").to_wire()]);
    let figures = figures(&program);
    let of = |name: &str, labels: &[&str]| sum(&figures, name, labels);
    for (family, rtype, expected) in [
        ("ipv4", "A", 500.0),
        ("ipv4", "none", 1.0),
        ("ipv6", "TXT", 1.0),
        ("ipv6", "CAA", 1.0),
        ("ipv6", "other", 1.0),
    ] {
        let labels = [&*format!("\"{family}\""), &format!("\"{rtype}\""), "\"udp\""];
        assert_eq!(of("queries_total", &labels), expected, "{family} {rtype}");
    }
    assert_eq!((of("truncated_total", &["udp"]), of("truncated_total", &["tcp"])), (1.0, 0.0));
    assert_eq!(of("dropped_total", &[]), 0.0);
    assert_eq!(figures["reply_size_bytes_bucket{transport=\"tcp\",le=\"1232\"}"], 0.0);
    assert_eq!(figures["reply_size_bytes_bucket{transport=\"tcp\",le=\"4096\"}"], 1.0);
    assert_eq!(figures["group_generation{group=\"group-1\"}"], 1.0);
    assert!((0.0..60.0).contains(&figures["snapshot_age_seconds"]));
    assert_eq!((figures["ready"], figures["serving_from_disk"]), (1.0, 0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_diagnose_is_told_more_than_plain_answers() {
    let Some(postgres) = Postgres::start().await else { return };
    let history = history();
    postgres.write(&history, 0).await;
    let told = |program: &Program, tcp: bool, question: &str| {
        let packet = Question::parse(question).to_wire();
        if tcp { program.ask_tcp(&[packet]).remove(0) } else { program.ask_udp(&packet) }
    };
    for (options, may) in [
        (&[][..], true),
        (&["--allow-diagnostics", "192.0.2.0/24,127.0.0.1"], true),
        (&["--allow-diagnostics", "192.0.2.0/24,2001:db8::/32"], false),
        (&["--allow-diagnostics", "none"], false),
    ] {
        let program = Program::start_with(&postgres.url(), "one", options);
        program.wait_ready();
        for tcp in [false, true] {
            let reply = told(&program, tcp, "www.example. A generation");
            let expected = may.then(|| history.head(1).version);
            assert_eq!(generation_told(&reply), expected, "{options:?}");
            // The answer itself is everybody's.
            assert!(to_text(&reply).contains("192.0.2.1"), "{options:?}");
            let code = |question: &str| to_text(&told(&program, tcp, question)).split(' ').next().unwrap().to_owned();
            let expected = if may { "NOTIMP" } else { "REFUSED" };
            assert_eq!(code("www.example. SOA opcode=4"), expected, "{options:?}");
            assert_eq!(code("www.example. A class=3"), "REFUSED");
            assert_eq!(code("www.example. AXFR"), "REFUSED");
        }
    }
}
