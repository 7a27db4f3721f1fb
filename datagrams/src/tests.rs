#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::{Batch, Local, PLACES, REPLY_SIZE, REQUEST_SIZE, portable};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

fn socket(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    socket
}

/// Answers each datagram by its own octets, last first.
macro_rules! answer_backwards {
    ($batch:expr, $server:expr) => {{
        let received = $batch.receive($server).unwrap();
        for place in 0..received {
            let (request, reply) = $batch.exchange(place);
            let length = request.len().min(REPLY_SIZE);
            reply[..length].copy_from_slice(&request[..length]);
            reply[..length].reverse();
            $batch.reply(place, length);
        }
        (received, $batch.send($server))
    }};
}

macro_rules! each_is_answered_to_whom_it_came_from {
    ($batch:expr, $address:expr) => {{
        let (server, mut batch) = (socket($address), $batch);
        let clients: Vec<UdpSocket> = (0..100).map(|_| socket($address)).collect();
        for (number, client) in clients.iter().enumerate() {
            let text = format!("{number} asks");
            client.send_to(&text.as_bytes()[..text.len().min(number + 3)], server.local_addr().unwrap()).unwrap();
        }
        let mut rounds = Vec::new();
        while rounds.iter().sum::<usize>() < clients.len() {
            let (received, failed) = answer_backwards!(batch, &server);
            assert_eq!(failed, 0);
            assert!(received > 0);
            rounds.push(received);
        }
        for (number, client) in clients.iter().enumerate() {
            let text = format!("{number} asks");
            let mut want = text.as_bytes()[..text.len().min(number + 3)].to_vec();
            want.reverse();
            let mut reply = [0; 100];
            let (length, from) = client.recv_from(&mut reply).unwrap();
            assert_eq!((&reply[..length], from), (&*want, server.local_addr().unwrap()));
        }
        assert_eq!(batch.receive(&server).unwrap(), 0, "the wait is over");
        rounds
    }};
}

#[test]
fn each_is_answered_to_whom_it_came_from() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let rounds = each_is_answered_to_whom_it_came_from!(Batch::new(Local::Bound), address);
        if cfg!(target_os = "linux") {
            assert_eq!(rounds, [PLACES, 100 - PLACES], "many in one call");
        }
        let rounds = each_is_answered_to_whom_it_came_from!(portable::Batch::new(Local::Bound), address);
        assert_eq!(rounds, [1; 100]);
    }
}

#[test]
fn what_is_too_long_is_cut_off_and_the_next_is_whole() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let mut batch = Batch::new(Local::Bound);
    for length in [REQUEST_SIZE + 1, 0, REQUEST_SIZE, 5] {
        client.send_to(&vec![7; length], server.local_addr().unwrap()).unwrap();
    }
    let mut lengths = Vec::new();
    while lengths.len() < 4 {
        let received = batch.receive(&server).unwrap();
        lengths.extend((0..received).map(|place| batch.request(place).len()));
    }
    assert_eq!(lengths, [REQUEST_SIZE, 0, REQUEST_SIZE, 5]);
}

#[test]
fn one_that_cannot_be_sent_keeps_no_other_back() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let mut batch = Batch::new(Local::Bound);
    let nowhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let there = client.local_addr().unwrap();
    for (place, peer) in [there, nowhere, nowhere, there, nowhere, there].into_iter().enumerate() {
        batch.room(place)[0] = place as u8;
        batch.send_later(place, 1, Some(peer));
    }
    assert_eq!(batch.send(&server), 3);
    let mut reply = [0; 10];
    for want in [0, 3, 5] {
        assert_eq!(client.recv(&mut reply).unwrap(), 1);
        assert_eq!(reply[0], want);
    }
    assert_eq!(batch.send(&server), 0, "nothing is sent twice");
    assert!(client.recv(&mut reply).is_err());
}

#[test]
fn a_later_reply_goes_to_whom_the_envelope_says() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let (server, client, other) = (socket(address), socket(address), socket(address));
        let mut batch = Batch::new(Local::Bound);
        client.send_to(b"first", server.local_addr().unwrap()).unwrap();
        assert_eq!(batch.receive(&server).unwrap(), 1);
        assert_eq!(batch.peer(0).unwrap(), client.local_addr().unwrap());
        assert_eq!(batch.peer_port(0), client.local_addr().unwrap().port());
        let envelope = batch.envelope(0);
        assert_eq!(envelope.peer(), batch.peer(0));
        other.send_to(b"second", server.local_addr().unwrap()).unwrap();
        assert_eq!(batch.receive(&server).unwrap(), 1);
        envelope.send(&server, b"to the first").unwrap();
        let mut reply = [0; 100];
        assert_eq!(client.recv(&mut reply).unwrap(), 12);
        assert!(other.recv(&mut reply).is_err());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn replies_come_from_the_address_that_was_asked() {
    for (everywhere, asked) in [("0.0.0.0:0", "127.0.0.7"), ("[::]:0", "::1")] {
        let server = socket(everywhere);
        Batch::prepare(&server, Local::Asked).unwrap();
        let mut batch = Batch::new(Local::Asked);
        let asked = SocketAddr::new(asked.parse().unwrap(), server.local_addr().unwrap().port());
        // Bound elsewhere, so that the kernel would choose another source by itself.
        let client = socket(if asked.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" });
        let mut reply = [0; 100];
        for late in [false, true] {
            client.send_to(b"who is there", asked).unwrap();
            if late {
                assert_eq!(batch.receive(&server).unwrap(), 1);
                batch.envelope(0).send(&server, b"I am").unwrap();
            } else {
                assert_eq!(answer_backwards!(batch, &server), (1, 0));
            }
            assert_eq!(client.recv_from(&mut reply).unwrap().1, asked);
        }
    }
}
