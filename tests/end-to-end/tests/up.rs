//! `holdfast up`, as the person at the terminal meets it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use test_support::{Holdfast, Options, Signal, TestPostgres, eventually};

/// Every program that `up` keeps alive.
const PROGRAMS: [&str; 7] = ["postgres", "api", "enactor-1", "enactor-2", "retirement", "server", "auditor"];

fn with_demo() -> Holdfast {
    Holdfast::start_with(Options { demo: true, ..Options::default() })
}

fn api_addresses(holdfast: &Holdfast) -> Vec<String> {
    let mut addresses = holdfast.dig_short("api.shop.example", "A");
    addresses.sort();
    addresses
}

fn tip(holdfast: &Holdfast) -> u64 {
    holdfast.get("/v1/groups/demo").json()["tip"].as_u64().unwrap()
}

/// The line that `up` printed for copying, run as it is.
fn paste(holdfast: &Holdfast, command: &str) -> String {
    let said = holdfast.said();
    let line = said.lines().rfind(|line| line.trim_start().starts_with(command)).unwrap();
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether a process runs; one that only waits to be reaped does not.
fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

#[test]
fn what_it_prints_can_be_pasted_and_works() {
    let mut holdfast = with_demo();
    let before = api_addresses(&holdfast);
    assert_eq!(before, ["192.0.2.20", "192.0.2.21", "192.0.2.22"]);
    assert!(paste(&holdfast, "dig").contains("192.0.2.21"));
    let answer = paste(&holdfast, "curl");
    assert!(answer.contains("\"state\":\"served\""), "{answer}");
    let after = api_addresses(&holdfast);
    assert!(after.iter().all(|address| !before.contains(address)) && after.len() == 3, "{after:?}");

    // A second start goes on where the first was, and prints what works then.
    let generation = tip(&holdfast);
    assert!(holdfast.stop().success());
    holdfast.start_again();
    assert_eq!((tip(&holdfast), api_addresses(&holdfast)), (generation, after));
    paste(&holdfast, "curl");
    assert_eq!(api_addresses(&holdfast), before);
}

#[test]
fn the_demo_zones_answer_questions_of_every_kind() {
    let holdfast = with_demo();
    for (name, rtype, expected) in [
        ("shop.example", "NS", "ns1.shop.example."),
        ("shop.example", "MX", "10 mail.shop.example."),
        ("shop.example", "TXT", "\"v=spf1 mx -all\""),
        ("shop.example", "CAA", "0 issue \"ca.example\""),
        ("api.shop.example", "AAAA", "2001:db8::21"),
        ("cdn.shop.example", "A", "192.0.2.11"),
        ("_submission._tcp.shop.example", "SRV", "0 5 587 mail.shop.example."),
        ("anything.apps.shop.example", "A", "192.0.2.50"),
        ("21.2.0.192.in-addr.arpa", "PTR", "api.shop.example."),
    ] {
        let answer = holdfast.dig_short(name, rtype);
        assert!(answer.iter().any(|line| line == expected), "{name} {rtype}: {answer:?}");
    }
    assert!(!holdfast.ask("api.shop.example", "A").answers.is_empty());
    assert!(!holdfast.ask_tcp("api.shop.example", "A").answers.is_empty());
}

#[test]
fn a_program_that_dies_is_started_again() {
    let holdfast = with_demo();
    for program in PROGRAMS {
        let before = holdfast.pid(program).unwrap();
        holdfast.signal(program, Signal::KILL);
        eventually(&format!("another {program}"), Duration::from_secs(20), || {
            holdfast.pid(program).is_some_and(|pid| pid != before && runs(pid))
        });
        eventually("said", Duration::from_secs(5), || holdfast.said().contains(&format!("{program} ended")));
    }
    eventually("the API is ready", Duration::from_secs(20), || {
        holdfast.get_api("/health/ready").is_some_and(|answer| answer.status == 200)
    });
    eventually("the server is ready", Duration::from_secs(20), || {
        holdfast.get_admin("/health/ready").is_some_and(|answer| answer.status == 200)
    });
    let answer = paste(&holdfast, "curl");
    assert!(answer.contains("\"generation\":2"), "{answer}");
    eventually("the new answer", Duration::from_secs(5), || api_addresses(&holdfast)[0] == "192.0.2.30");
}

#[test]
fn when_up_itself_is_killed_nothing_stays() {
    let mut holdfast = with_demo();
    let pids: Vec<u32> = PROGRAMS.iter().map(|program| holdfast.pid(program).unwrap()).collect();
    holdfast.kill_up();
    eventually("nothing of it runs", Duration::from_secs(10), || !pids.iter().any(|pid| runs(*pid)));
    holdfast.start_again();
    assert_eq!(tip(&holdfast), 1);

    // The next start does not even have to wait.
    holdfast.kill_up();
    holdfast.start_again();
    assert_eq!(tip(&holdfast), 1);
}

#[test]
fn what_an_earlier_run_left_behind_is_ended() {
    let mut holdfast = with_demo();
    // Stopped, they cannot end by themselves.
    for program in ["server", "enactor-1", "postgres"] {
        holdfast.signal(program, Signal::STOP);
    }
    holdfast.kill_up();
    holdfast.start_again();
    assert_eq!(tip(&holdfast), 1);
}

#[test]
fn ctrl_c_stops_everything_in_order() {
    let mut holdfast = Holdfast::start();
    let pids: Vec<u32> = PROGRAMS.iter().map(|program| holdfast.pid(program).unwrap()).collect();
    assert!(holdfast.stop().success());
    assert!(!pids.iter().any(|pid| runs(*pid)));
    let said = holdfast.said();
    let places: Vec<usize> = ["auditor", "server", "retirement", "enactor-2", "enactor-1", "api", "postgres"]
        .iter()
        .map(|program| said.find(&format!("stopping {program}")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{said}");
    let log = std::fs::read_to_string(holdfast.data().join("log/postgres.log")).unwrap();
    assert!(log.trim_end().ends_with("database system is shut down"), "{log}");
}

#[test]
fn a_program_that_does_not_stop_is_made_to() {
    let mut holdfast = Holdfast::start();
    holdfast.signal("api", Signal::STOP);
    assert!(holdfast.stop().success());
    assert_eq!(holdfast.pid("api"), None);
}

#[test]
fn two_on_one_directory_are_one_too_many() {
    let holdfast = Holdfast::start();
    let second = holdfast.command().output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1));
    assert!(said.contains(&format!("process {}", holdfast.up_pid())) && said.contains("--data-dir"), "{said}");
}

#[test]
fn an_address_in_use_is_named_before_anything_is_started() {
    let holdfast = Holdfast::prepare(Options::default());
    let _taken = TcpListener::bind(holdfast.api()).unwrap();
    let refused = holdfast.command().output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains(&holdfast.api().to_string()) && said.contains("--api"), "{said}");
    assert!(!holdfast.data().join("postgres").exists());
}

#[test]
fn a_directory_of_somebody_else_is_left_alone() {
    let holdfast = Holdfast::prepare(Options::default());
    std::fs::create_dir(holdfast.data()).unwrap();
    std::fs::write(holdfast.data().join("thesis.txt"), "").unwrap();
    let refused = holdfast.command().output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("is not empty"), "{said}");
}

#[test]
fn secrets_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let holdfast = Holdfast::start();
    for file in ["admin-token", "database-url", "run/api.pid", "run/postgres.pid", "passwords/owner", "log/api.log"] {
        let mode = std::fs::metadata(holdfast.data().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let password = std::fs::read_to_string(holdfast.data().join("passwords/api")).unwrap();
    let arguments = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    let arguments = String::from_utf8_lossy(&arguments.stdout);
    assert!(!arguments.contains(password.trim()) && !arguments.contains(&holdfast.token()));
}

#[test]
fn the_owner_is_no_superuser_and_nobody_listens_on_a_port() {
    let holdfast = Holdfast::start();
    let roles = holdfast.rows("select rolname, rolsuper from pg_roles where rolcanlogin order by rolname");
    let supers: Vec<&str> =
        roles.iter().filter(|role| role["rolsuper"] == true).map(|role| role["rolname"].as_str().unwrap()).collect();
    assert_eq!(supers, ["postgres"]);
    for login in ["holdfast", "holdfast_api", "holdfast_enactor", "holdfast_server"] {
        assert!(roles.iter().any(|role| role["rolname"] == login), "{login} is missing");
    }
    assert!(
        holdfast.execute_as_superuser("do $$ begin assert current_setting('listen_addresses') = ''; end $$").is_ok()
    );
    assert!(holdfast.execute_as_superuser("do $$ begin assert current_setting('fsync') = 'on'; end $$").is_ok());
}

#[test]
fn it_uses_the_database_that_it_is_given() {
    let postgres = TestPostgres::start_empty_blocking();
    let given = || Options { demo: true, database_url: Some(postgres.owner_url().to_owned()), ..Options::default() };
    let holdfast = Holdfast::start_with(given());
    assert_eq!((holdfast.database_url().as_str(), holdfast.pid("postgres")), (postgres.owner_url(), None));
    assert!(!holdfast.data().join("postgres").exists());
    paste(&holdfast, "curl");
    assert_eq!(api_addresses(&holdfast)[0], "192.0.2.30");
    let logins = holdfast
        .rows(&format!("select rolname from pg_roles where rolname like '{}\\_holdfast\\_%'", postgres.database()));
    assert_eq!(logins.len(), 5, "{logins:?}");
}

#[test]
fn what_an_owner_lacks_is_named_before_anything_is_written() {
    let postgres = TestPostgres::start_empty_blocking();
    postgres.execute_as_superuser(&format!("alter role {} nocreaterole", postgres.database()));
    let holdfast =
        Holdfast::prepare(Options { database_url: Some(postgres.owner_url().to_owned()), ..Options::default() });
    let refused = holdfast.command().output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("createrole"), "{said}");
}

#[test]
fn a_second_ctrl_c_stops_at_once() {
    let mut holdfast = Holdfast::start();
    // Stopped, it would have some seconds.
    holdfast.signal("server", Signal::STOP);
    let pids: Vec<u32> = PROGRAMS.iter().map(|program| holdfast.pid(program).unwrap()).collect();
    holdfast.signal_up(Signal::INT);
    eventually("stopping", Duration::from_secs(5), || holdfast.said().contains("stopping server"));
    let start = std::time::Instant::now();
    assert!(holdfast.stop().success());
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert!(holdfast.said().contains("at once") && !pids.iter().any(|pid| runs(*pid)));
}
