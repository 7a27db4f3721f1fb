//! What the network can do to the server: ports in use, clients that hold connections, packets that are none.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};
use support::name_of;
use support::program::{Program, ask_udp, eventually};
use support::wire::Question;
use zone_model::RecordType;

/// Nobody listens there, so the server has no data: enough for everything about sockets.
const NO_DATABASE: &str = "postgres://nobody@127.0.0.1:1/none";

fn question() -> Vec<u8> {
    Question::new(&name_of("example."), RecordType::A).to_wire()
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

/// Connects and waits for an answer; none if the connection is closed instead.
fn connect(program: &Program) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(program.dns[0]).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(&framed(&question())).ok()?;
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    stream.read_exact(&mut vec![0; usize::from(u16::from_be_bytes(length))]).ok()?;
    Some(stream)
}

fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    matches!(stream.read(&mut [0; 1]), Ok(0) | Err(_))
}

#[test]
fn without_data_every_answer_is_servfail() {
    let program = Program::start(NO_DATABASE, "one");
    for address in &program.dns {
        assert_eq!(ask_udp(*address, &question())[3] & 15, 2);
    }
    assert_eq!(program.ask_tcp(&[question()])[0][3] & 15, 2);
    let (status, why) = program.get("/health/ready");
    assert_eq!(status, 503);
    assert!(why.contains("database"), "{why}");
    assert!(program.stop().success());
}

#[test]
fn a_port_in_use_is_named_with_the_option_that_changes_it() {
    let start = |options: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_holdfast-server"))
            .args(["--database-url", NO_DATABASE])
            .env("HOLDFAST_ADMIN", "127.0.0.1:0")
            .env("HOLDFAST_DNS", "127.0.0.1:0")
            .args(options)
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let port = format!("127.0.0.1:{}", support::free_port());
    let _tcp = TcpListener::bind(&port).unwrap();
    assert!(start(&["--dns", &port]).contains(&format!("{port}/tcp: the port is in use")));
    let said = start(&["--admin", &port]);
    assert!(said.contains(&port) && said.contains("--admin (HOLDFAST_ADMIN)"), "{said}");
    // A second server would not clash by itself, because both share their ports among sockets of their own.
    let port = format!("127.0.0.1:{}", support::free_port());
    let _udp = UdpSocket::bind(&port).unwrap();
    let said = start(&["--dns", &port]);
    assert!(
        said.contains(&format!("{port}/udp: the port is in use")) && said.contains("--dns (HOLDFAST_DNS)"),
        "{said}"
    );
    let program = Program::start(NO_DATABASE, "one");
    assert!(start(&["--dns", &program.dns[0].to_string()]).contains("in use"));
}

#[test]
fn packets_that_are_none_are_met_with_silence_and_the_next_is_answered() {
    let program = Program::start(NO_DATABASE, "one");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut response = question();
    response[2] |= 0x80;
    for packet in [&[][..], &[1, 2, 3], &response] {
        socket.send_to(packet, program.dns[0]).unwrap();
    }
    assert!(socket.recv(&mut [0; 100]).is_err());
    // More than the server reads at a time, and an answer to a socket that is gone.
    socket.send_to(&[0; 60_000], program.dns[0]).unwrap();
    socket.send_to(&question(), program.dns[0]).unwrap();
    drop(socket);
    assert_eq!(program.ask_udp(&question())[3] & 15, 2);
    eventually("three drops are counted", || {
        program.get("/metrics").1.contains("dropped_total{reason=\"unanswerable\",transport=\"udp\"} 3")
    });
}

#[test]
fn whoever_listens_everywhere_answers_from_the_address_that_was_asked() {
    let program = Program::start_with(NO_DATABASE, "one", &["--dns", "0.0.0.0:0"]);
    let everywhere = program.dns.iter().find(|address| address.ip().is_unspecified()).unwrap();
    for last in [1, 2, 77] {
        let asked = SocketAddr::from(([127, 0, 0, last], everywhere.port()));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket.send_to(&question(), asked).unwrap();
        let mut reply = [0; 512];
        let (_, from) = socket.recv_from(&mut reply).unwrap();
        assert_eq!(from, asked);
        assert_eq!(reply[3] & 15, 2);
    }
}

#[test]
fn more_than_fits_a_batch_is_answered_each_to_whom_asked() {
    let program = Program::start(NO_DATABASE, "one");
    let clients: Vec<UdpSocket> = (0..200).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let packet = |number: usize| {
        let mut packet = question();
        packet[..2].copy_from_slice(&u16::try_from(number).unwrap().to_be_bytes());
        packet
    };
    for (number, client) in clients.iter().enumerate() {
        client.send_to(&packet(number), program.dns[0]).unwrap();
    }
    for (number, client) in clients.iter().enumerate() {
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut reply = [0; 512];
        client.recv(&mut reply).unwrap();
        assert_eq!(reply[..2], packet(number)[..2]);
    }
}

#[test]
fn connections_are_limited_in_total_and_for_each_client() {
    let program = Program::start_with(
        NO_DATABASE,
        "one",
        &["--tcp-connections-max", "5", "--tcp-connections-per-client-max", "3"],
    );
    let held: Vec<_> = (0..3).map(|_| connect(&program).unwrap()).collect();
    assert!(connect(&program).is_none(), "the fourth of one client");
    // Another client, of the same machine.
    let other = |last: u8| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, last], 0)).into()).unwrap();
        socket.connect(&program.dns[0].into()).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let _ = stream.write_all(&framed(&question()));
        stream.read_exact(&mut [0; 2]).is_ok().then_some(stream)
    };
    let others = [other(2).unwrap(), other(3).unwrap()];
    assert!(other(4).is_none(), "the sixth of all");
    drop((held, others));
    eventually("places are given back", || connect(&program).is_some());
}

#[test]
fn who_says_nothing_or_never_finishes_is_let_go() {
    let program = Program::start_with(NO_DATABASE, "one", &["--tcp-idle-timeout-ms", "500"]);
    let mut silent = TcpStream::connect(program.dns[0]).unwrap();
    assert!(is_closed(&mut silent));
    let mut after_one = connect(&program).unwrap();
    let began = Instant::now();
    assert!(is_closed(&mut after_one));
    assert!((400..4000).contains(&began.elapsed().as_millis()));
    // A question by single octets ends when its time is over, however steadily they come.
    let mut slow = TcpStream::connect(program.dns[0]).unwrap();
    let began = Instant::now();
    let message = framed(&[0; 60_000]);
    while slow.write_all(&message[..1]).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn many_questions_at_once_are_answered_in_order_even_when_cut_anywhere() {
    let program = Program::start(NO_DATABASE, "one");
    let ask = |number: u16| {
        let mut question = question();
        question[..2].copy_from_slice(&number.to_be_bytes());
        framed(&question)
    };
    let all: Vec<u8> = (0..2000).flat_map(ask).collect();
    let mut stream = TcpStream::connect(program.dns[0]).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let writing = std::thread::spawn(move || {
        for piece in all.chunks(997) {
            writer.write_all(piece).unwrap();
        }
    });
    for number in 0..2000_u16 {
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(reply[..2], number.to_be_bytes());
    }
    writing.join().unwrap();
}

#[test]
fn the_help_names_every_variable_and_the_version_is_told() {
    let say = |option: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_holdfast-server"))
            .arg(option)
            .env("HOLDFAST_DATABASE_URL", "postgres://one:opensesame@db/x")
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let help = say("--help");
    for variable in
        ["DNS", "ADMIN", "DATABASE_URL", "RING", "NAME", "POLL_INTERVAL_MS", "UDP_SOCKETS", "LOG", "COOKIES", "NSID"]
    {
        assert!(help.contains(&format!("[env: HOLDFAST_{variable}")), "{help}");
    }
    assert!(!help.contains("opensesame"));
    assert_eq!(say("--version"), format!("holdfast-server {}\n", env!("CARGO_PKG_VERSION")));
}
