//! What the database itself refuses: hostile statements as the owner, races of two connections, and random schedules.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::process::Command;
use std::str::FromStr as _;
use test_support::TestPostgres;

#[tokio::test]
async fn the_owner_cannot_break_a_promise() {
    let postgres = TestPostgres::start_empty().await;
    let address = PgConnectOptions::from_str(postgres.superuser_url()).unwrap();
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/tests/run.sh");
    let host = address.get_socket().map_or_else(|| Path::new(address.get_host()).to_owned(), Clone::clone);
    let output = Command::new("bash")
        .arg(run)
        .env("PGHOST", host)
        .env("PGPORT", address.get_port().to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().unwrap_or_default();
    assert!(
        output.status.success() && last.ends_with(", 0 failed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{last}");
}
