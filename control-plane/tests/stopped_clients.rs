//! Clients that stop in the middle of the protocol with the database: between Execute and Sync no time-out looks at them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use sqlx::Connection as _;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use support::World;

/// A connection that speaks the protocol itself, and so can stop wherever it likes.
struct Raw(UnixStream);

impl Raw {
    fn connect(url: &str) -> Self {
        let url: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        let socket: PathBuf = url.get_socket().unwrap().join(format!(".s.PGSQL.{}", url.get_port()));
        let mut raw = Self(UnixStream::connect(socket).unwrap());
        raw.0.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let body = format!("user\0{}\0database\0{}\0\0", url.get_username(), url.get_database().unwrap());
        let mut startup = u32::try_from(body.len() + 8).unwrap().to_be_bytes().to_vec();
        startup.extend(196_608_u32.to_be_bytes());
        startup.extend(body.as_bytes());
        raw.0.write_all(&startup).unwrap();
        raw.read_until(b'Z');
        raw
    }

    /// Parse, Bind, Execute and Flush, and no Sync: the statement is done, and the transaction is nobody's to end.
    fn execute_and_stop(&mut self, statement: &str) {
        let mut all = Vec::new();
        let mut message = |kind: u8, body: &[u8]| {
            all.push(kind);
            all.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
            all.extend(body);
        };
        message(b'P', format!("\0{statement}\0\0\0").as_bytes());
        message(b'B', b"\0\0\0\0\0\0\0\0");
        message(b'E', b"\0\0\0\0\0");
        message(b'H', b"");
        self.0.write_all(&all).unwrap();
        self.read_until(b'C');
    }

    /// Reads messages until one of this kind.
    fn read_until(&mut self, wanted: u8) {
        loop {
            let mut head = [0; 5];
            self.0.read_exact(&mut head).unwrap();
            let length = u32::from_be_bytes(head[1..].try_into().unwrap()) - 4;
            let mut body = vec![0; usize::try_from(length).unwrap()];
            self.0.read_exact(&mut body).unwrap();
            assert_ne!(head[0], b'E', "{}", String::from_utf8_lossy(&body));
            if head[0] == wanted {
                return;
            }
        }
    }
}

/// The time that another connection's move to generation 1 of group 1 took, and whether it was written or found.
async fn rival_moves(url: &str) -> (Duration, Result<(), sqlx::Error>) {
    let mut rival = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::query("set lock_timeout = '3s'").execute(&mut rival).await.unwrap();
    let started = Instant::now();
    let moved = sqlx::raw_sql(
        "call enact(p_ring => 'fleet', p_groups => '{1}', p_generations => '{1}', p_expected => null, p_by => 'rival', moved => null)",
    );
    let moved = moved.execute(&mut rival).await.map(|_| ());
    (started.elapsed(), moved)
}

#[tokio::test]
async fn f51_a_client_stopped_between_execute_and_sync_holds_nobody_up() {
    let world = World::with_example().await;

    // The danger is real: a plain statement keeps its row from everybody until its client goes on, whatever the time-outs.
    let mut stopped = Raw::connect(world.superuser_url());
    stopped
        .execute_and_stop("insert into head_move (zone_group, ring, generation, by) values (1, 'fleet', 1, 'stopped')");
    let (took, moved) = rival_moves(world.superuser_url()).await;
    assert!(moved.is_err() && took >= Duration::from_secs(3), "{moved:?} after {took:?}");
    drop(stopped);

    // The door commits by itself: its client is needed no more.
    let mut stopped = Raw::connect(world.superuser_url());
    stopped.execute_and_stop(
        "call enact(p_ring => 'fleet', p_groups => '{1}', p_generations => '{1}', p_expected => null, p_by => 'stopped', moved => null)",
    );
    let (took, moved) = rival_moves(world.superuser_url()).await;
    moved.unwrap();
    assert!(took < Duration::from_secs(1), "{took:?}");
    drop(stopped);
}
