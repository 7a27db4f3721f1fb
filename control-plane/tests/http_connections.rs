//! Connections over a real socket: what is refused unread, and how a shutdown goes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_support;

use control_plane::http::serve;
use http_support::{ADMIN, Api, put};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Serves the API, and says where and until when.
async fn served(api: &Api) -> (std::net::SocketAddr, tokio::task::JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(serve(listener, api.state.clone(), api.shutdown.clone())))
}

fn head(length: u64) -> String {
    format!(
        "POST /v1/groups/example.com/plans HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_says_it_is_too_large_is_refused_before_it_is_sent() {
    let api = Api::with_example().await;
    let (address, _serving) = served(&api).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head(1 << 30).as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let length = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("/problems/too-large"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_refused_before_their_body_is_read() {
    let api = Api::empty().await;
    let (address, _serving) = served(&api).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head(1_000).replace(ADMIN, "hf_nobody").as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let length = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&answer[..length]).starts_with("HTTP/1.1 401 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_lets_a_request_under_way_end_and_takes_no_other() {
    let api = Api::with_example().await;
    let (address, serving) = served(&api).await;
    let body = put(1, "a", 1).to_string();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let idle = TcpStream::connect(address).await.unwrap();
    let (first, rest) = body.split_at(10);
    stream.write_all(head(body.len() as u64).as_bytes()).await.unwrap();
    stream.write_all(first.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    api.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(address).await.is_err());
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let started = Instant::now();
    serving.await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "an idle connection held up the shutdown");
    drop(idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_ended_while_idle_are_replaced_and_nobody_is_told() {
    let api = Api::with_example().await;
    // Several at once, so that there are several connections.
    let group = "/v1/groups/example.com";
    let answers = tokio::join!(api.get(group), api.get(group), api.get(group), api.get(group));
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        answer.is(200);
    }
    let superuser = sqlx::PgPool::connect(api.superuser_url()).await.unwrap();
    let ended: i64 = sqlx::query_scalar(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity \
         where pid <> pg_backend_pid() and datname = current_database()",
    )
    .fetch_one(&superuser)
    .await
    .unwrap();
    assert!(ended >= 2, "{ended}");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for round in 1..=2 {
        api.get(group).await.is(200);
        api.put(round, "a", 7 + u8::try_from(round).unwrap()).await.is(201);
    }
}
