//! A start where no name can be resolved: whoever serves names must not need any.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use private_postgres::Signal;
use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use test_support::{Holdfast, Options, ask_udp, eventually, query};

/// `up` in a world of its own, which ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _asked = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        let _ended = self.0.wait();
    }
}

/// Without `/etc/hosts`, so that not even `localhost` means anything, and with a resolver at an address where nobody is.
const NO_NAMES: &str = "mount --bind /dev/null /etc/hosts && mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";

#[test]
fn f27_a_cold_start_needs_no_names() {
    let may_mount = Command::new("unshare").args(["--mount", "true"]).stderr(Stdio::null()).status();
    if !may_mount.is_ok_and(|ended| ended.success()) {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "unshare --mount needs root");
        eprintln!("skipped: without root there is no world without names");
        return;
    }
    let resolver = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(resolver.path(), "nameserver 127.0.0.254\noptions timeout:1 attempts:1\n").unwrap();
    let holdfast = Holdfast::prepare(Options { demo: true, ..Options::default() });
    let up = holdfast.command();

    let mut alone = Command::new("unshare");
    alone.args(["--mount", "sh", "-c", NO_NAMES]).arg(resolver.path());
    let nothing = alone.args(["getent", "ahosts", "localhost"]).output().unwrap();
    assert!(!nothing.status.success(), "there are names: {}", String::from_utf8_lossy(&nothing.stdout));

    let mut alone = Command::new("unshare");
    alone.args(["--mount", "sh", "-c", NO_NAMES]).arg(resolver.path()).arg(up.get_program()).args(up.get_args());
    for (name, value) in up.get_envs() {
        match value {
            Some(value) => alone.env(name, value),
            None => alone.env_remove(name),
        };
    }
    let _running = Running(alone.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
    eventually("the demo zones are answered", Duration::from_secs(60), || {
        ask_udp(holdfast.dns(), &query("api.shop.example.", "A")).is_ok_and(|answer| !answer.answers.is_empty())
    });
    assert_eq!(holdfast.get("/v1/groups").status, 200);
}

#[test]
fn a_server_that_was_killed_answers_from_disk_while_postgres_is_silent() {
    let holdfast = Holdfast::start_with(Options { demo: true, ..Options::default() });
    let address = |last: u8| {
        let set = json!({"name": "api", "type": "A", "ttl": 30, "records": [format!("192.0.2.{last}")]});
        json!({"base": i64::from(last), "zones": {"shop.example.": {"upsert": [set]}}})
    };
    assert_eq!(holdfast.post("/v1/groups/demo/plans?wait=served", &address(1)).status, 201);
    assert_eq!(holdfast.dig_short("api.shop.example", "A"), ["192.0.2.1"]);
    eventually("it is on disk", Duration::from_secs(30), || {
        holdfast.get_admin("/metrics").is_some_and(|answer| answer.body.contains("disk_groups_behind 0"))
    });
    holdfast.signal("postgres", Signal::STOP);
    let killed = holdfast.pid("server");
    holdfast.signal("server", Signal::KILL);
    eventually("another server answers", Duration::from_secs(30), || {
        holdfast.pid("server") != killed
            && ask_udp(holdfast.dns(), &query("api.shop.example.", "A")).is_ok_and(|answer| !answer.answers.is_empty())
    });
    assert_eq!(holdfast.dig_short("api.shop.example", "A"), ["192.0.2.1"]);
    holdfast.signal("postgres", Signal::CONT);
    eventually("plans are served again", Duration::from_secs(60), || {
        holdfast.post("/v1/groups/demo/plans", &address(2)).status < 300
    });
    eventually("the new answer", Duration::from_secs(30), || {
        holdfast.dig_short("api.shop.example", "A") == ["192.0.2.2"]
    });
}
