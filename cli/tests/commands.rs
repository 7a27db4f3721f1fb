//! The client commands, against the real programs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use test_support::{Holdfast, Options};

/// What a command said and how it ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

fn holdfast(running: &Holdfast, arguments: &[&str], input: &str) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(arguments)
        .env("HOLDFAST_API", format!("http://{}", running.api()))
        .env("HOLDFAST_TOKEN_FILE", running.data().join("admin-token"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that reads nothing closes its end.
    let _not_wanted = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_zone_goes_out_and_in_again() {
    let running = Holdfast::start_with(Options { demo: true, ..Options::default() });
    let zone = holdfast(&running, &["export", "shop.example"], "");
    assert_eq!(zone.code, 0, "{}", zone.err);
    assert!(zone.out.starts_with("$ORIGIN shop.example.\n") && zone.out.contains("192.0.2.20"), "{}", zone.out);

    let import = ["import", "demo", "--zone", "shop.example.", "--file", "-", "--wait", "served", "--reason", "moved"];
    let same = holdfast(&running, &import, &zone.out);
    assert_eq!(
        (same.code, same.out.contains("like this at generation 1 already")),
        (0, true),
        "{}{}",
        same.out,
        same.err
    );
    assert!(same.err.contains("base 1: read just now"), "{}", same.err);

    let changed = zone.out.replace("192.0.2.20", "192.0.2.99");
    let dry = holdfast(&running, &["import", "demo", "--zone", "shop.example", "--file", "-", "--dry-run"], &changed);
    assert_eq!((dry.code, dry.out.contains("nothing was written")), (0, true), "{}{}", dry.out, dry.err);
    let done = holdfast(&running, &import, &changed);
    assert_eq!(done.out, "demo: generation 2 (0 added, 1 replaced, 0 deleted), served\n", "{}", done.err);
    assert!(running.dig_short("api.shop.example", "A").contains(&"192.0.2.99".to_owned()));

    let before = holdfast(&running, &["export", "shop.example", "--at", "1"], "");
    assert_eq!(before.out, zone.out);
    let diff = holdfast(&running, &["diff", "demo"], "");
    assert!(diff.out.contains("- api.shop.example. 30 A 192.0.2.20\n"), "{}", diff.out);
    assert!(diff.out.contains("+ api.shop.example. 30 A 192.0.2.99\n"), "{}", diff.out);
    assert_eq!(holdfast(&running, &["diff", "demo", "1", "1"], "").out, "");
}

#[test]
fn refusals_are_sentences_with_every_violation() {
    let running = Holdfast::start_with(Options { demo: true, ..Options::default() });
    let wrong = r#"{"base": 1, "zones": {"shop.example.": {"upsert": [
        {"name": "api", "type": "A", "ttl": 30, "records": ["192.0.2.300", "x"]}]}}}"#;
    let refused = holdfast(&running, &["plan", "demo", "-"], wrong);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("192.0.2.300") && refused.err.contains("`x`"), "{}", refused.err);

    let plan = r#"{"base": 1, "zones": {"shop.example.": {"upsert": [
        {"name": "api", "type": "A", "ttl": 30, "records": ["192.0.2.77"]}]}}}"#;
    let done = holdfast(&running, &["plan", "demo", "-", "--wait", "enacted"], plan);
    assert!(done.out.starts_with("demo: generation 2 "), "{}{}", done.out, done.err);
    let stale = plan.replace("192.0.2.77", "192.0.2.78");
    let refused = holdfast(&running, &["plan", "demo", "-"], &stale);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("api.shop.example.") && refused.err.contains("generation 2"), "{}", refused.err);

    assert_eq!(holdfast(&running, &["export"], "").code, 2);
    let nowhere = holdfast(&running, &["status", "--api", "http://127.0.0.1:9"], "");
    assert_eq!((nowhere.code, nowhere.err.contains("does not answer")), (1, true), "{}", nowhere.err);
}

#[test]
fn the_screen_shows_what_is_in_force() {
    let running = Holdfast::start_with(Options { demo: true, ..Options::default() });
    let status = holdfast(&running, &["status"], "");
    assert_eq!(status.code, 0, "{}", status.err);
    for shown in ["demo   1    fleet 1", "server  fleet", "live", "enactor-1", "enactor-2"] {
        assert!(status.out.contains(shown), "{shown} is missing:\n{}", status.out);
    }
}

#[test]
fn a_token_is_given_used_listed_and_ended() {
    let running = Holdfast::start();
    let given = holdfast(&running, &["token", "create", "dashboard", "--role", "reader"], "");
    assert_eq!(given.code, 0, "{}", given.err);
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), &given.out).unwrap();
    let as_reader = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--token-file", secret.path().to_str().unwrap()]);
        holdfast(&running, &all, "")
    };
    assert_eq!(as_reader(&["status"]).code, 0);
    let refused = as_reader(&["token", "list"]);
    assert_eq!((refused.code, refused.err.contains("forbidden")), (1, true), "{}", refused.err);
    assert!(holdfast(&running, &["token", "list"], "").out.contains("dashboard"));
    assert_eq!(holdfast(&running, &["token", "end", "dashboard"], "").code, 0);
    let ended = as_reader(&["status"]);
    assert_eq!((ended.code, ended.err.contains("--token-file")), (1, true), "{}", ended.err);
}

#[test]
fn operators_acts_are_told_in_words() {
    let running = Holdfast::start_with(Options { demo: true, ..Options::default() });
    let said = |arguments: &[&str], expected: &str| {
        let ended = holdfast(&running, arguments, "");
        assert_eq!((ended.code, ended.out.as_str()), (0, expected), "{arguments:?}: {}", ended.err);
        ended.err
    };
    said(&["freeze", "demo", "--reason", "incident 7"], "stopped: demo in every ring, by holdfast-up: incident 7\n");
    assert!(holdfast(&running, &["status"], "").out.contains("incident 7"));
    said(
        &["thaw", "--all", "--reason", "over"],
        "nothing was frozen with these words\nstopped: demo in every ring, by holdfast-up: incident 7\n",
    );
    said(&["thaw", "demo", "--reason", "over"], "thawed\nnothing is stopped here\n");

    let plan = r#"{"base": 1, "zones": {"shop.example.": {"upsert": [
        {"name": "api", "type": "A", "ttl": 5, "records": ["192.0.2.77"]}]}}}"#;
    let done = holdfast(&running, &["plan", "demo", "-", "--wait", "served"], plan);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let hint = said(
        &["rollback", "demo", "--to", "1", "--reason", "wrong", "--through-freeze", "--wait", "served"],
        "demo: generation 3 (0 added, 1 replaced, 0 deleted), served\n",
    );
    assert!(hint.contains("base 2: read just now") && hint.contains("closed to planners"), "{hint}");
    assert!(!running.dig_short("api.shop.example", "A").contains(&"192.0.2.77".to_owned()));
    let opened = holdfast(&running, &["plan", "demo", "-"], r#"{"base": 3, "settings": {"closed": null}}"#);
    assert_eq!(opened.code, 0, "{}{}", opened.out, opened.err);

    let failed = said(&["fail", "demo", "2", "--reason", "wrong"], "demo: generation 2 has failed\n");
    assert_eq!(failed, "");
    said(&["forget", "server", "--reason", "moved"], "the server server is forgotten\n");
    let nobody = holdfast(&running, &["forget", "ns-9", "--reason", "moved"], "");
    assert_eq!((nobody.code, nobody.err.contains("there is no server ns-9")), (1, true), "{}", nobody.err);
    said(
        &["rings", "set", "fleet", "--soak", "1.5", "--servers-min", "1"],
        "RING   FIRST  SOAK   DELAY  SERVERS\nfleet  first  1.5 s  0 s    at least 1\n",
    );
    let last = holdfast(&running, &["rings", "end", "fleet"], "");
    assert_eq!((last.code, last.err.contains("act-refused")), (1, true), "{}", last.err);
    let raised = holdfast(&running, &["epoch", "raise", "--reason", "a drill"], "");
    assert_eq!(
        (raised.code, raised.out.contains("demo: generation 1000000000 follows 4")),
        (0, true),
        "{}{}",
        raised.out,
        raised.err
    );
    let without = holdfast(&running, &["freeze", "--reason", "what?"], "");
    assert_eq!(without.code, 2, "{}", without.err);
}
