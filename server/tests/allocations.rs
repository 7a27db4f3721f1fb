//! Plain queries are answered without a single allocation, whatever their answer is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unsafe_code, reason = "an allocator that counts cannot be written otherwise")]

mod support;

use server::access::Rights;
use server::answer::{Context, Cookies, Options, Scratch, Secret, TCP_REPLY_SIZE, Transport, Verdict, answer};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use support::directory_of;
use support::wire::Question;

struct Counting;

thread_local!(static ALLOCATIONS: Cell<usize> = const { Cell::new(0) });

// SAFETY: what is asked for comes from the system's allocator, and goes back there.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ZONE: &str = "$TTL 300\n@ SOA ns1 hostmaster 40 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.1\n\
    www TXT \"large\"\nalias CNAME www\nout CNAME www.elsewhere.\n*.wild A 192.0.2.2\ncut NS ns.cut\ncut NS ns.other\nns.cut A 192.0.2.3\n\
    mail MX 10 www\nmail MX 20 ns1\n_s._tcp SRV 0 0 1 www\nold DNAME @\na.b.c.d A 192.0.2.4\nloop CNAME loop2\nloop2 CNAME loop\n";

#[test]
fn no_answer_allocates() {
    let directory = directory_of(&[("example.", ZONE)]);
    let (mut scratch, mut out) = (Scratch::default(), vec![0; TCP_REPLY_SIZE]);
    let questions = [
        "www.example. A",
        "WWW.example. A edns",
        "www.example. AAAA do rd cd",
        "example. SOA",
        "example. NS",
        "example. ANY",
        "nothing.example. A",
        "alias.example. A",
        "out.example. A",
        "any.wild.example. A",
        "x.cut.example. A",
        "cut.example. DS",
        "mail.example. MX tcp",
        "_s._tcp.example. SRV",
        "www.old.example. A",
        "old.old.old.example. A",
        "c.d.example. A",
        "loop.example. A",
        "www.elsewhere. A",
        "www.example. TXT size=1 options=000a00080102030405060708",
        "www.example. A options=000a0018010203040506070801000000000000000102030405060708",
        "www.example. A tcp options=000a00080102030405060708000b00000003000012340003010203",
        "www.elsewhere. A options=000300000a0a0000",
    ];
    let cookies = Some(Cookies::new(Secret::new(&[7; 16]), vec![Secret::new(&[8; 16])]));
    let options = Options { cookies, nsid: Some((*b"one").into()), keepalive: Some(100), ..Options::default() };
    for question in questions {
        let question = Question::parse(question);
        let transport = if question.tcp { Transport::Tcp } else { Transport::Udp };
        let packet = question.to_wire();
        let context =
            Context { transport, peer: [127, 0, 0, 1].into(), now: 1, options: &options, rights: Rights::Plain };
        let before = ALLOCATIONS.get();
        let verdict = answer(&directory, &mut scratch, &packet, &context, &mut out);
        let after = ALLOCATIONS.get();
        assert!(matches!(verdict, Verdict::Reply(..)), "{question:?}: {verdict:?}");
        assert_eq!(after, before, "{question:?}");
    }
    // And the count counts.
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(vec![0_u8; 10]));
    assert_eq!(ALLOCATIONS.get(), before + 1);
}
