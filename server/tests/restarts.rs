//! Servers that are started again: with the database away, and with an older copy on their own disk than others have.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use server::snapshot::ZoneNumber;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::postgres::{Postgres, run};
use support::program::{Program, eventually};
use support::wire::{Question, to_text};
use support::{History, changes_of, name_of, put};
use tempfile::TempDir;
use zone_model::RecordType;

const ZONE: &str = "$TTL 300\n@ SOA ns1 hostmaster 40 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.1\n";

fn history() -> History {
    let mut history = History::new(1, &[(1, "example.")]);
    history.admit(changes_of(ZoneNumber(1), &name_of("example."), ZONE));
    history
}

fn question() -> Vec<u8> {
    Question::new(&name_of("www.example."), RecordType::A).to_wire()
}

fn is_on_disk(program: &Program) -> bool {
    let metrics = program.get("/metrics").1;
    metrics.contains("disk_groups_behind 0") && !metrics.contains("disk_writes_total{outcome=\"written\"} 0")
}

/// A server with its own disk and a port that it keeps over restarts.
struct Site {
    folder: TempDir,
    port: u16,
    name: &'static str,
    url: String,
}

impl Site {
    fn new(name: &'static str, postgres: &Postgres) -> Self {
        Self { folder: TempDir::new().unwrap(), port: support::free_port(), name, url: postgres.url() }
    }

    fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    fn start(&self) -> Program {
        let (folder, address) = (self.folder.path().to_str().unwrap(), self.address().to_string());
        Program::start_with(&self.url, self.name, &["--snapshot-dir", folder, "--dns", &address])
    }
}

/// What a resolver does: asks one server, then the next, and gives up after a while. Whatever a server says is taken for its
/// answer, so it had better be the right one.
fn ask_as_a_resolver(servers: &[SocketAddr]) -> String {
    const PATIENCE: Duration = Duration::from_secs(10);
    let end = Instant::now() + PATIENCE;
    for server in servers.iter().cycle() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
        socket.connect(server).unwrap();
        let mut reply = [0; 512];
        if let Ok(length) = socket.send(&question()).and_then(|_| socket.recv(&mut reply)) {
            return to_text(&reply[..length]);
        }
        assert!(Instant::now() < end, "no server answered");
    }
    unreachable!("there are servers")
}

#[tokio::test(flavor = "multi_thread")]
async fn f28_with_the_database_off_servers_are_restarted_and_no_answer_fails() {
    let Some(postgres) = Postgres::start().await else { return };
    postgres.write(&history(), 0).await;
    let sites = [Site::new("one", &postgres), Site::new("two", &postgres)];
    let mut programs: Vec<Program> = sites.iter().map(Site::start).collect();
    for program in &programs {
        program.wait_ready();
        eventually("it is on disk", || is_on_disk(program));
    }
    postgres.end();
    let (done, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let servers = sites.each_ref().map(Site::address);
    std::thread::scope(|scope| {
        let asking = (0..2).map(|first| {
            let mut servers = servers;
            servers.rotate_left(first);
            let (done, answered) = (&done, &answered);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let said = ask_as_a_resolver(&servers);
                    assert!(said.starts_with("NOERROR") && said.contains(" A 192.0.2.1\n"), "{said}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let asking: Vec<_> = asking.collect();
        // At first nobody listens where the database was; then somebody does who says nothing.
        let mut silent = None;
        for round in 0..2 {
            for (place, site) in sites.iter().enumerate() {
                let program = programs.remove(place);
                if round == 0 {
                    assert!(program.stop().success());
                } else {
                    drop(program);
                }
                programs.insert(place, site.start());
                assert!(asking.iter().all(|one| !one.is_finished()), "an answer failed");
                programs[place].wait_ready();
                // And what was asked before is answered by both, each in its turn.
                std::thread::sleep(Duration::from_millis(300));
            }
            silent.get_or_insert_with(|| TcpListener::bind(("127.0.0.1", postgres.port)).unwrap());
        }
        done.store(true, Ordering::Relaxed);
        asking.into_iter().for_each(|one| one.join().unwrap());
    });
    assert!(answered.load(Ordering::Relaxed) > 100, "{answered:?}");
    assert!(programs[0].get("/health/ready").1.contains("\"source\":\"disk\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn f34_with_an_older_copy_it_is_ready_when_caught_up_unless_nobody_has_a_newer_one() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut history = history();
    postgres.write(&history, 0).await;
    let site = Site::new("one", &postgres);
    let program = site.start();
    program.wait_ready();
    eventually("it is on disk", || is_on_disk(&program));
    let address = |program: &Program| {
        let said = to_text(&program.ask_udp(&question()));
        said.split_once(" A 192.0.2.").map(|(_, rest)| rest.lines().next().unwrap().to_owned()).unwrap_or(said)
    };
    assert!(program.stop().success());

    // While it is away, others have gone on; and what they have is not to be had at once.
    history.admit(vec![put(1, "www.example.", RecordType::A, 300, &["192.0.2.2"])]);
    postgres.write(&history, 1).await;
    let mut owner = postgres.owner().await;
    run(&mut owner, "begin; lock table change in access exclusive mode").await;
    let program = site.start();
    // It answers from what it has, and does not ask for clients.
    assert_eq!(address(&program), "1");
    for _ in 0..10 {
        let (status, said) = program.get("/health/ready");
        assert!(status == 503 && said.contains("being asked for what is newer"), "{status} {said}");
        assert!(said.contains("\"source\":\"disk\"") && said.contains("\"seconds_since_heads_read\":null"), "{said}");
        let metrics = program.get("/metrics").1;
        assert!(metrics.contains("_ready 0") && metrics.contains("_snapshot_age_seconds +Inf"), "{metrics}");
        assert_eq!(address(&program), "1");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    run(&mut owner, "rollback").await;
    program.wait_ready();
    assert_eq!(address(&program), "2", "who is ready has what others have");
    let said = program.get("/health/ready").1;
    assert!(said.contains("\"source\":\"database\"") && said.contains("\"generation\":2,\"epoch\":0"), "{said}");
    eventually("it is on disk", || is_on_disk(&program));
    assert!(program.stop().success());

    // Nothing newer is there.
    let program = site.start();
    program.wait_ready();
    assert_eq!(address(&program), "2");
    assert!(program.stop().success());

    // Nobody can be asked who might have something newer.
    postgres.end();
    let program = site.start();
    program.wait_ready();
    assert_eq!(address(&program), "2");
    let (_, said) = program.get("/health/ready");
    assert!(said.contains("\"source\":\"disk\"") && said.contains("\"seconds_since_heads_read\":null"), "{said}");
    assert!(program.get("/metrics").1.contains("_serving_from_disk 1"));
    // Once ready it stays so, also when it is stopped and goes on.
    let pid = program.pid().to_string();
    for signal in ["-STOP", "-CONT"] {
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
    assert_eq!(program.get("/health/ready").0, 200);
}
