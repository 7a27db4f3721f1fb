//! Options in questions and in replies: cookies, who answers, why there is an error, how long a connection may be silent.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use proptest::prelude::*;
use server::answer::{
    Context, Cookies, EDNS_PAYLOAD_SIZE, GENERATION_OPTION, Options, Scratch, Secret, Transport, Verdict, answer,
};
use server::snapshot::Directory;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use support::random::{Numbers, QUESTION_TYPES, question_name, zone};
use support::wire::{Question, from_hex, options_told, sections, to_hex, to_text};
use support::{SILENT, directory_of, name_of, reply_and_cookie, reply_in};

const ZONE: &str = "$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.1\n";
/// RFC 9018, appendix A.1: who asks, when, and what its cookie is then.
const CLIENT: [u8; 4] = [198, 51, 100, 100];
const NOW: u32 = 1_559_731_985;
const PART: &str = "2464c4abcf10c957";
const WHOLE: &str = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";

static DIRECTORY: LazyLock<Arc<Directory>> = LazyLock::new(|| directory_of(&[("example.", ZONE)]));
static OPTIONS: LazyLock<Options> = LazyLock::new(|| {
    let secret = from_hex("e5e973e5a6b2a43f48e7dc849e37bfcf").try_into().unwrap();
    Options {
        cookies: Some(Cookies::new(Secret::new(&secret), Vec::new())),
        nsid: Some((*b"ns1").into()),
        keepalive: Some(100),
        chaos_id: Some((*b"one").into()),
        chaos_version: Some((*b"Holdfast 9").into()),
    }
});
static CONTEXT: LazyLock<Context<'static>> =
    LazyLock::new(|| Context { peer: IpAddr::from(CLIENT), now: NOW, options: &OPTIONS, ..*SILENT });

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), &u16::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
}

/// The first line of a reply's text, and the reply: to a question as text, from who asks in `context`.
fn said_in(context: &Context<'_>, question: &str) -> (String, Vec<u8>) {
    let question = Question::parse(question);
    let transport = if question.tcp { Transport::Tcp } else { Transport::Udp };
    let reply = reply_in(&DIRECTORY, &question.to_wire(), &Context { transport, ..*context }).unwrap();
    let text = to_text(&reply);
    let line = text.lines().next().unwrap();
    (line.rsplit_once(' ').unwrap().0.rsplit_once(' ').unwrap().0.to_owned(), reply)
}

fn said(question: &str) -> String {
    said_in(&CONTEXT, question).0
}

fn with(cookies: &[&str]) -> String {
    cookies.iter().map(|cookie| to_hex(&option(10, &from_hex(cookie)))).collect()
}

/// Whether the server knows who sends this cookie.
fn knows(context: &Context<'_>, cookie: &str) -> bool {
    let packet = Question::parse(&format!("www.example. A options={}", with(&[cookie]))).to_wire();
    reply_and_cookie(&DIRECTORY, &packet, context).unwrap().1
}

/// A query without a question, which is only about the cookie (RFC 7873 §5.4).
fn only(options: &[u8]) -> Vec<u8> {
    let length = u16::try_from(options.len()).unwrap().to_be_bytes();
    [&from_hex("1234 0000 0000 0000 0000 0001 00 0029 04d0 00000000"), &length[..], options].concat()
}

#[test]
fn a_reply_with_a_cookie_to_the_last_octet() {
    let asked = format!("00 0029 04d0 00000000 000c 000a 0008 {PART}");
    let packet = from_hex(&format!("1234 0100 0001 0000 0000 0001 02 6e73 00 0001 0001 {asked}"));
    let told = format!("00 0029 04d0 00000000 0022 000a 0018 {WHOLE} 000f 0002 0014");
    let want = from_hex(&format!("1234 8105 0001 0000 0000 0001 02 6e73 00 0001 0001 {told}"));
    assert_eq!(to_hex(&reply_in(&DIRECTORY, &packet, &CONTEXT).unwrap()), to_hex(&want));
}

/// A client that uses cookies takes a reply without one for forged, whatever it says (RFC 7873 §5.3).
#[test]
fn every_reply_has_the_cookie_errors_too() {
    let asks = |question: &str| said(&format!("{question} options={}", with(&[PART])));
    let told = format!("edns=1232/0 cookie={WHOLE}");
    assert_eq!(asks("www.example. A"), format!("NOERROR aa {told}"));
    assert_eq!(asks("www.example. A tcp"), format!("NOERROR aa {told}"));
    assert_eq!(asks("no.example. A"), format!("NXDOMAIN aa {told}"));
    assert_eq!(asks("elsewhere. A"), format!("REFUSED {told} ede=20"));
    assert_eq!(asks("example. SOA opcode=4"), format!("NOTIMP opcode=4 {told} ede=21"));
    assert_eq!(asks("example. OPT"), format!("FORMERR {told}"));
    // Of another version of EDNS nobody knows what its options mean.
    assert_eq!(asks("www.example. A version=1"), "BADVERS edns=1232/0");
    let mut left_over = Question::parse(&format!("www.example. A options={}", with(&[PART]))).to_wire();
    left_over.push(0);
    let reply = reply_in(&DIRECTORY, &left_over, &CONTEXT).unwrap();
    assert!(to_text(&reply).starts_with(&format!("FORMERR {told}")));
    let nothing = Directory::default();
    let packet = Question::parse(&format!("www.example. A options={}", with(&[PART]))).to_wire();
    assert!(to_text(&reply_in(&nothing, &packet, &CONTEXT).unwrap()).starts_with(&format!("SERVFAIL {told} ede=14 ")));
}

#[test]
fn a_cookie_is_known_from_its_address_and_for_its_time() {
    assert!(knows(&CONTEXT, WHOLE));
    assert!(!knows(&CONTEXT, PART));
    assert!(!knows(&Context { peer: [198, 51, 100, 101].into(), ..*CONTEXT }, WHOLE), "another address");
    assert!(knows(&Context { now: NOW + 3600, ..*CONTEXT }, WHOLE));
    assert!(!knows(&Context { now: NOW + 3601, ..*CONTEXT }, WHOLE), "too old");
    assert!(!knows(&Context { now: NOW - 301, ..*CONTEXT }, WHOLE), "from a time to come");
    assert!(!knows(&Context { options: &Options::default(), ..*CONTEXT }, WHOLE), "no cookies");
    // What one packet brought is not the next one's.
    assert!(knows(&CONTEXT, WHOLE) && !knows(&CONTEXT, PART));
    let (nothing, silence) = (Question::parse("www.example. A").to_wire(), from_hex("1234 8000 0000 0000 0000 0000"));
    assert!(knows(&CONTEXT, WHOLE) && !reply_and_cookie(&DIRECTORY, &nothing, &CONTEXT).unwrap().1);
    assert_eq!(reply_and_cookie(&DIRECTORY, &silence, &CONTEXT), None);
}

/// Of what is answered later, or not at all, nothing is known yet: least of all from the packet before.
#[test]
fn the_fast_door_forgets_the_cookie_before() {
    let (mut scratch, mut out) = (Scratch::default(), vec![0; 1232]);
    let mut ask = |packet: &[u8]| {
        let verdict = answer(&DIRECTORY, &mut scratch, packet, &CONTEXT, &mut out);
        (matches!(verdict, Verdict::Reply(..)), scratch.had_valid_cookie())
    };
    let known = Question::parse(&format!("www.example. A options={}", with(&[WHOLE]))).to_wire();
    let slow = Question::parse(&format!("www.example. A generation options=fe120000{}", with(&[WHOLE]))).to_wire();
    assert_eq!(ask(&known), (true, true));
    assert_eq!(ask(&slow), (false, false));
    assert_eq!(ask(&known), (true, true));
    assert_eq!(ask(&from_hex("1234 8000 0000 0000 0000 0000")), (false, false));
}

/// Lengths are 8, and 16 to 40 (RFC 7873 §4); of all others nobody knows where the client's part would end.
#[test]
fn a_cookie_of_a_wrong_length_is_no_question() {
    let silent = Context { options: &Options { cookies: None, ..OPTIONS.clone() }, ..*CONTEXT };
    for length in 0..=60 {
        let question = format!("www.example. A options={}", to_hex(&option(10, &vec![7; length])));
        let is_cookie = length == 8 || (16..=40).contains(&length);
        let said_so = said(&question);
        assert_eq!(
            said_so.starts_with("NOERROR aa edns=1232/0 cookie=0707070707070707"),
            is_cookie,
            "{length}: {said_so}"
        );
        assert!(is_cookie || said_so == "FORMERR edns=1232/0", "{length}: {said_so}");
        // Without cookies the option is one that nobody knows.
        assert_eq!(said_in(&silent, &question).0, "NOERROR aa edns=1232/0");
    }
    // A length that leads out of the record.
    for options in ["000a", "000a00", "000a0008", "000a000801020304050607", "000affff0102030405060708"] {
        assert_eq!(said(&format!("www.example. A options={options}")), "FORMERR edns=1232/0", "{options}");
    }
}

#[test]
fn of_two_cookies_the_first_counts() {
    let asks = |cookies: &[&str]| said(&format!("www.example. A options={}", with(cookies)));
    assert_eq!(asks(&[PART, "0102030405060708"]), format!("NOERROR aa edns=1232/0 cookie={WHOLE}"));
    assert_eq!(asks(&[PART, "01"]), format!("NOERROR aa edns=1232/0 cookie={WHOLE}"));
    assert_eq!(asks(&["01", PART]), "FORMERR edns=1232/0");
}

/// RFC 7873 §5.4.
#[test]
fn without_a_question_cookies_are_exchanged() {
    let line = |context: &Context<'_>, packet: &[u8]| {
        let reply = reply_in(&DIRECTORY, packet, context).unwrap();
        to_text(&reply).lines().take(2).collect::<Vec<_>>().join("; ")
    };
    let of = |cookie: &str| only(&option(10, &from_hex(cookie)));
    let good = format!("NOERROR edns=1232/0 cookie={WHOLE} 51 octets; no question");
    assert_eq!(line(&CONTEXT, &of(PART)), good);
    assert_eq!(line(&CONTEXT, &of(WHOLE)), good);
    assert_eq!(line(&CONTEXT, &of(&format!("{PART}00000000000000000000"))), good.replace("NOERROR", "BADCOOKIE"));
    let elsewhere = Context { peer: [192, 0, 2, 9].into(), ..*CONTEXT };
    assert!(line(&elsewhere, &of(WHOLE)).starts_with("BADCOOKIE edns=1232/0 cookie=2464c4abcf10c957"));
    let malformed = "FORMERR edns=1232/0 23 octets; no question";
    assert_eq!(line(&CONTEXT, &of("01")), malformed);
    assert_eq!(line(&CONTEXT, &only(&[])), malformed);
    assert_eq!(line(&CONTEXT, &only(&option(11, &[]))), malformed);
    let silent = Context { options: &Options::default(), ..*CONTEXT };
    assert_eq!(line(&silent, &of(PART)), malformed);
    // Records are no part of it, nor are other opcodes; and a server without data has cookies.
    let mut with_answer = of(PART);
    with_answer[7] = 1;
    assert!(line(&CONTEXT, &with_answer).starts_with("FORMERR"));
    let mut notify = of(PART);
    notify[2] = 4 << 3;
    assert!(line(&CONTEXT, &notify).starts_with("NOTIMP"));
    let reply = reply_in(&Directory::default(), &of(PART), &CONTEXT).unwrap();
    assert!(to_text(&reply).starts_with("NOERROR"));
}

/// RFC 5001.
#[test]
fn who_answers_is_told_to_who_asks() {
    assert_eq!(said("www.example. A edns"), "NOERROR aa edns=1232/0");
    assert_eq!(said("www.example. A options=00030000"), "NOERROR aa edns=1232/0 nsid=ns1");
    assert_eq!(said("www.example. A options=00030001ff00030000"), "NOERROR aa edns=1232/0 nsid=ns1");
    assert_eq!(said("elsewhere. A options=00030000"), "REFUSED edns=1232/0 nsid=ns1 ede=20");
    let silent = Context { options: &Options::default(), ..*CONTEXT };
    assert_eq!(said_in(&silent, "www.example. A options=00030000").0, "NOERROR aa edns=1232/0");
}

/// RFC 7828: asked over TCP, told in units of 100 ms. Over UDP nothing that is said about it counts (§3.3.1).
#[test]
fn how_long_a_connection_may_be_silent_is_told_over_tcp() {
    assert_eq!(said("www.example. A tcp options=000b0000"), "NOERROR aa edns=1232/0 keepalive=100");
    assert_eq!(said("www.example. A tcp edns"), "NOERROR aa edns=1232/0");
    assert_eq!(said("www.example. A tcp options=000b00020064"), "FORMERR edns=1232/0");
    assert_eq!(said("www.example. A options=000b0000"), "NOERROR aa edns=1232/0");
    assert_eq!(said("www.example. A options=000b00020064"), "NOERROR aa edns=1232/0");
}

/// RFC 4892, with the names that BIND has for the same.
#[test]
fn in_class_ch_a_server_tells_of_itself_if_it_may() {
    let answer = |question: &str| {
        let (line, reply) = said_in(&CONTEXT, question);
        let answer = sections(&reply)[0].1.join("; ");
        format!("{line}: {answer}")
    };
    assert_eq!(answer("id.server. TXT class=3"), "NOERROR: id.server. 0 TXT \"one\"");
    assert_eq!(answer("HostName.Bind. TXT class=3 rd"), "NOERROR rd: HostName.Bind. 0 TXT \"one\"");
    assert_eq!(answer("version.server. TXT class=3"), "NOERROR: version.server. 0 TXT \"Holdfast 9\"");
    assert_eq!(answer("version.bind. TXT class=3 tcp"), "NOERROR: version.bind. 0 TXT \"Holdfast 9\"");
    let refused = "REFUSED edns=1232/0 ede=21-class-IN-only: ";
    for other in
        ["id.server. A", "id.server. ANY", "x.id.server. TXT", "server. TXT", "authors.bind. TXT", "example. SOA"]
    {
        assert_eq!(answer(&format!("{other} class=3 edns")), refused);
    }
    assert_eq!(
        answer("id.server. TXT edns"),
        "REFUSED edns=1232/0 ede=20: ",
        "in class IN it is a name like any other"
    );
    assert_eq!(answer("id.server. TXT class=4 edns"), refused);
    let silent = Context { options: &Options::default(), ..*CONTEXT };
    for name in ["id.server.", "hostname.bind.", "version.server.", "version.bind."] {
        assert_eq!(said_in(&silent, &format!("{name} TXT class=3")).0, "REFUSED");
    }
    // Spelled out: class CH, TTL 0, and a text of one piece.
    let reply = said_in(&CONTEXT, "id.server. TXT class=3").1;
    assert_eq!(to_hex(&reply[27..]), "c00c00100003000000000004036f6e65");
    // Before there is any data, too.
    let packet = Question::parse("id.server. TXT class=3").to_wire();
    assert_eq!(reply_in(&Directory::default(), &packet, &CONTEXT).unwrap(), reply);
}

/// RFC 8914.
#[test]
fn an_error_says_why_to_who_has_edns() {
    for (question, why) in [
        ("elsewhere. A", "REFUSED edns=1232/0 ede=20"),
        ("elsewhere. A tcp", "REFUSED edns=1232/0 ede=20"),
        ("elsewhere. A class=255", "REFUSED edns=1232/0 ede=20"),
        ("example. AXFR tcp", "REFUSED edns=1232/0 ede=21-no-zone-transfers"),
        ("example. TKEY", "NOTIMP edns=1232/0 ede=21"),
        ("example. SOA opcode=5", "NOTIMP opcode=5 edns=1232/0 ede=21"),
        ("www.example. A class=7", "REFUSED edns=1232/0 ede=21-class-IN-only"),
        ("no.example. A", "NXDOMAIN aa edns=1232/0"),
        ("example. OPT", "FORMERR edns=1232/0"),
    ] {
        assert_eq!(said(&format!("{question} edns")), why, "{question}");
        let without = why.split(" edns").next().unwrap();
        assert_eq!(said(question), without, "{question} without EDNS");
    }
}

/// The order is always the same, whatever the order in which things are asked for.
#[test]
fn all_at_once_comes_in_one_order() {
    let options = format!("fe120000000b000000030000{}", with(&[PART]));
    let (line, reply) = said_in(&CONTEXT, &format!("www.example. A tcp options={options}"));
    assert!(line.starts_with("NOERROR aa edns=1232/0 generation=1/"), "{line}");
    let codes: Vec<_> = options_told(&reply).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [10, GENERATION_OPTION, 3, 11]);
}

/// What is told never makes a reply longer than it may be: first the reason of an error has no place, then the longest.
#[test]
fn without_room_the_least_important_is_left_out() {
    let name = format!("{0}.{0}.{0}.{1}.", "a".repeat(63), "b".repeat(61));
    assert_eq!(name_of(&name).as_wire().len(), 255);
    let told = |nsid: usize| {
        let options = Options { nsid: Some(vec![7; nsid].into()), ..OPTIONS.clone() };
        let question = format!("{name} A size=512 options=00030000{}", with(&[PART]));
        let (line, reply) = said_in(&Context { options: &options, ..*CONTEXT }, &question);
        assert!(line.starts_with("REFUSED") && reply.len() <= 512);
        let codes: Vec<_> = options_told(&reply).into_iter().map(|(code, _)| code).collect();
        (codes, reply.len())
    };
    // 12 for the header, 259 for the question, 11 for the record, 28 for the cookie.
    assert_eq!(told(192), (vec![10, 3, 15], 512));
    assert_eq!(told(193), (vec![10, 3], 507));
    assert_eq!(told(198), (vec![10, 3], 512));
    assert_eq!(told(199), (vec![10, 15], 316));
}

/// A record set that fits without options, and not with them, is truncated as any that does not fit.
#[test]
fn what_is_told_has_its_place_before_records() {
    let zone = format!("{ZONE}large TXT {}\n", "\"0123456789012345678901234567890123456789\" ".repeat(10));
    let directory = directory_of(&[("example.", &zone)]);
    let ask = |options: &str| {
        let packet = Question::parse(&format!("large.example. TXT size=512 options={options}")).to_wire();
        let reply = reply_in(&directory, &packet, &CONTEXT).unwrap();
        (reply.len(), reply[2] & 2 != 0)
    };
    assert_eq!(ask(""), (464, false));
    assert_eq!(ask(&with(&[PART])), (492, false));
    assert_eq!(ask(&format!("fe120000{}", with(&[PART]))), (42 + 28 + 44, true));
}

/// Whether there is something among these options that this server listens to and that is said wrongly.
fn is_wrong(options: &[(u16, Vec<u8>)], tcp: bool) -> bool {
    let cookie = options.iter().find(|(code, _)| *code == 10).map(|(_, value)| value.len());
    let is_time = |(code, value): &(u16, Vec<u8>)| *code == 11 && !value.is_empty();
    let is_ours = |(code, value): &(u16, Vec<u8>)| *code == GENERATION_OPTION && !value.is_empty();
    // Of several that ask for the time the last counts.
    let time = tcp && options.iter().rev().find(|(code, _)| *code == 11).is_some_and(is_time);
    cookie.is_some_and(|length| length != 8 && !(16..=40).contains(&length)) || time || options.iter().any(is_ours)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    /// Whatever else is asked for, the answer is the answer.
    #[test]
    fn options_change_no_answer(
        seed: u64,
        tcp: bool,
        size in 0_u16..2000,
        mix in prop::collection::vec((prop::sample::select(vec![3, 8, 10, 10, 11, 12, 15, GENERATION_OPTION, 65_001]), prop::sample::select(vec![0, 0, 8, 8, 24, 1, 16, 40, 41, 100]), any::<u8>()), 0..5),
    ) {
        let mut numbers = Numbers::new(seed);
        let directory = directory_of(&[("z.", &zone(&mut numbers, "z."))]);
        let mix: Vec<(u16, Vec<u8>)> = mix.into_iter().map(|(code, length, octet)| (code, vec![octet; length])).collect();
        let options: Vec<u8> = mix.iter().flat_map(|(code, value)| option(*code, value)).collect();
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        let context = Context { transport, ..*CONTEXT };
        for _ in 0..10 {
            let (name, rtype) = (question_name(&mut numbers, "z."), *numbers.one_of(&QUESTION_TYPES));
            let plain = Question { size: Some(size), tcp, ..Question::new(&name, rtype) };
            let asking = Question { options: options.clone(), ..plain.clone() };
            let [plain, asking] = [plain, asking].map(|question| reply_in(&directory, &question.to_wire(), &context).unwrap());
            let limit = if tcp { u16::MAX } else { size.clamp(512, EDNS_PAYLOAD_SIZE) };
            prop_assert!(asking.len() <= usize::from(limit));
            if is_wrong(&mix, tcp) {
                prop_assert_eq!(asking[3] & 15, 1, "FORMERR");
                continue;
            }
            // Told is only what was asked for.
            for (code, _) in options_told(&asking) {
                prop_assert!(mix.iter().any(|(asked, _)| *asked == code));
            }
            let room: usize = options_told(&asking).iter().map(|(_, value)| 4 + value.len()).sum();
            if plain.len() + room > usize::from(limit) {
                continue;
            }
            prop_assert_eq!(asking.len(), plain.len() + room);
            prop_assert_eq!(sections(&plain), sections(&asking));
            prop_assert_eq!(&plain[..10], &asking[..10]);
        }
    }

    /// No octets in the place of options do harm.
    #[test]
    fn no_options_do_harm(octets in prop::collection::vec(any::<u8>(), 0..60), tcp: bool) {
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        let context = Context { transport, ..*CONTEXT };
        let question = Question { size: Some(512), options: octets.clone(), ..Question::parse("www.example. A") };
        for packet in [question.to_wire(), only(&octets), only(&option(10, &octets))] {
            let reply = reply_in(&DIRECTORY, &packet, &context).unwrap();
            to_text(&reply);
        }
    }
}
