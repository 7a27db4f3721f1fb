//! What the program tells of itself, seen by `dig` and over sockets; and secrets of cookies that change while it runs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use support::program::Program;
use support::wire::{from_hex, options_told};

/// Nobody listens there, so the server has no data: enough for everything about options.
const NO_DATABASE: &str = "postgres://nobody@127.0.0.1:1/none";

/// What `dig` shows; none where it is not installed.
fn dig(program: &Program, arguments: &[&str]) -> Option<String> {
    let (address, port) = (program.dns[0].ip().to_string(), program.dns[0].port().to_string());
    let output = Command::new("dig").args(["-p", &port, &format!("@{address}"), "+tries=1"]).args(arguments).output();
    match output {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn dig_understands_all_that_is_told() {
    let options =
        ["--nsid", "ns1.fra", "--chaos-id", "the first", "--chaos-version", "true", "--tcp-idle-timeout-ms", "7500"];
    let program = Program::start_with(NO_DATABASE, "one", &options);
    let cookie = "+cookie=0123456789abcdef";
    let Some(shown) = dig(&program, &["example.", "A", cookie, "+nsid", "+ednsopt=65001:00"]) else {
        println!("dig is not installed");
        return;
    };
    assert!(shown.contains("status: SERVFAIL"), "{shown}");
    let line = shown.lines().find_map(|line| line.strip_prefix("; COOKIE: ")).unwrap();
    assert!(line.starts_with("0123456789abcdef01000000") && line.ends_with(" (good)"), "{line}");
    assert!(shown.contains("; NSID: ") && shown.contains("(\"ns1.fra\")"), "{shown}");
    assert!(shown.contains("; EDE: 14 (Not Ready)"), "{shown}");
    // With the server's part it is the same again.
    let whole = line.trim_end_matches(" (good)");
    let shown = dig(&program, &["example.", "A", &format!("+cookie={whole}")]).unwrap();
    assert!(shown.contains(&format!("; COOKIE: {whole} (good)")), "{shown}");
    let shown = dig(&program, &["example.", "A", "+tcp", "+keepalive", cookie]).unwrap();
    assert!(shown.contains("; TCP KEEPALIVE: 7.5 secs") && shown.contains("(good)"), "{shown}");
    let shown = dig(&program, &["id.server.", "CH", "TXT", "+short"]).unwrap();
    assert_eq!(shown, "\"the first\"\n");
    let shown = dig(&program, &["version.bind.", "CH", "TXT", "+short"]).unwrap();
    assert_eq!(shown, format!("\"Holdfast {}\"\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn who_wants_to_tell_nothing_tells_nothing() {
    let program = Program::start_with(NO_DATABASE, "one", &["--cookies", "false"]);
    let asked = from_hex(
        "1234 0000 0001 0000 0000 0001 00 0001 0001 00 0029 04d0 00000000 0010 0003 0000 000a 0008 0102030405060708",
    );
    assert_eq!(options_told(&program.ask_udp(&asked)), [(15, vec![0, 14])]);
    assert_eq!(
        program.ask_udp(&from_hex("1234 0000 0001 0000 0000 0000 02 6964 06 736572766572 00 0010 0003"))[3] & 15,
        5
    );
}

/// The server's word on a cookie: its code, and the cookie that it sends.
fn exchange(program: &Program, cookie: &[u8]) -> (u16, Vec<u8>) {
    let length = u8::try_from(cookie.len()).unwrap();
    let mut asked = from_hex("1234 0000 0000 0000 0000 0001 00 0029 04d0 00000000 00");
    asked.extend([4 + length, 0, 10, 0, length]);
    asked.extend(cookie);
    let (udp, tcp) = (program.ask_udp(&asked), program.ask_tcp(std::slice::from_ref(&asked)).remove(0));
    // Both are served the same, within a second of each other.
    assert_eq!((udp[3], udp[17]), (tcp[3], tcp[17]));
    let [(10, sent)] = &options_told(&udp)[..] else { panic!("{udp:?}") };
    (u16::from(udp[17]) << 4 | u16::from(udp[3] & 15), sent.clone())
}

#[test]
fn secrets_follow_each_other_while_the_server_runs() {
    const FIRST: &str = "000102030405060708090a0b0c0d0e0f";
    const SECOND: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets");
    let write = |lines: &str, mode: u32| {
        std::fs::write(&file, lines).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    };
    let start = |file: &Path, name: &str| {
        Program::start_with(NO_DATABASE, name, &["--cookie-secret-file", file.to_str().unwrap()])
    };
    write(FIRST, 0o600);
    let (one, two) = (start(&file, "one"), start(&file, "two"));
    let (good, bad) = (0, 23);
    let (code, of_first) = exchange(&one, &[7; 8]);
    assert_eq!(code, good);
    // Another server with the same secret knows it, and one with a secret of its own does not.
    assert_eq!(exchange(&two, &of_first), (good, of_first.clone()));
    assert_eq!(exchange(&Program::start(NO_DATABASE, "three"), &of_first).0, bad);

    let mut log = Vec::new();
    let mut reload = |sign: &str| {
        Command::new("kill").args(["-HUP", &one.pid().to_string()]).status().unwrap();
        log.push(one.logged(sign));
    };
    write(&format!("{SECOND}\n{FIRST}\n"), 0o600);
    reload("were read again");
    let (code, of_second) = exchange(&one, &of_first);
    assert!(code == good && of_second != of_first, "known, and replaced");
    assert_eq!(exchange(&one, &of_second), (good, of_second.clone()));
    write(SECOND, 0o600);
    reload("were read again");
    assert_eq!(exchange(&one, &of_first).0, bad, "forgotten");
    assert_eq!(exchange(&one, &of_second), (good, of_second.clone()));
    // What is wrong changes nothing.
    write(FIRST, 0o644);
    reload("stay as they are");
    write("nothing", 0o600);
    reload("stay as they are");
    assert_eq!(exchange(&one, &of_second), (good, of_second));
    assert!(log.iter().all(|line| !line.contains(FIRST) && !line.contains(SECOND)), "{log:?}");
    assert!(one.stop().success());
}

#[test]
fn a_secret_that_cannot_be_read_is_no_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_holdfast-server"))
        .args(["--database-url", NO_DATABASE, "--cookie-secret-file", "/nowhere/secrets"])
        .args(["--dns", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("/nowhere/secrets (--cookie-secret-file"), "{said}");
}
