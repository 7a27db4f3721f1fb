//! Answers datagrams: a thread for each socket, that receives what is there, answers it and sends it, many at a time, and waits
//! for nobody else.

mod limiting;
mod pinning;
mod slow;

pub use pinning::cores;
pub use slow::{Slow, SlowPath};

use crate::access::Rights;
use crate::answer::{Context, GROUP_SIZE, Options, Scratch, Transport, Verdict};
use crate::cookie_clock;
use crate::counters::{Own, TIMED_ONE_IN, Tally};
use crate::rate_limit::RateLimiter;
use crate::snapshot::Directory;
use crate::sockets::local_of;
use crate::thread;
use arc_swap::ArcSwap;
use datagrams::Batch;
use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long a worker waits for a datagram before it looks whether it should stop.
const WAIT_MAX: Duration = Duration::from_millis(200);
/// How long it waits for room to send. Then the replies are lost, as the network may lose them anyway; resolvers ask again.
const SEND_WAIT_MAX: Duration = Duration::from_millis(50);
/// The pause after an error on receiving, lest one that stays makes the loop spin.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// Ports whose owners answer whatever they are sent, so a forged query from there starts a game without end: echo,
/// daytime, quote of the day, character generator; and 0, to which nothing can be sent. DNS itself (53) is no such port:
/// resolvers ask from there, and a server drops what is a response.
const PORTS_NOT_ANSWERED: [u16; 5] = [0, 7, 13, 17, 19];

/// What answers the datagrams of one socket.
#[derive(Debug)]
pub struct Worker {
    /// Where they come in. Of several workers each has its own, and the kernel spreads clients over them.
    pub socket: UdpSocket,
    /// What is served.
    pub directory: Arc<ArcSwap<Directory>>,
    /// What may be told of this server.
    pub options: Arc<ArcSwap<Options>>,
    /// What is counted.
    pub counters: Own,
    /// What limits replies, if anything does.
    pub limiter: Option<Arc<RateLimiter>>,
    /// Who answers what is not plain.
    pub slow: Slow,
    /// The core that it stays on, if it should stay on one.
    pub core: Option<usize>,
}

/// Runs a worker until told to stop.
///
/// # Errors
/// When the socket cannot be used at all, or the worker panicked.
pub async fn serve(worker: Worker, stop: CancellationToken) -> io::Result<()> {
    thread::run("udp", |stopping| worker.run(stopping), stop).await
}

impl Worker {
    fn run(self, stopping: &AtomicBool) -> io::Result<()> {
        if let Some(core) = self.core {
            pinning::stay_on(core);
        }
        let local = local_of(self.socket.local_addr()?);
        self.socket.set_nonblocking(false)?;
        self.socket.set_read_timeout(Some(WAIT_MAX))?;
        self.socket.set_write_timeout(Some(SEND_WAIT_MAX))?;
        // The slow path sends by the same socket, so that its replies come from the same address.
        let socket = Arc::new(self.socket);
        let (mut batch, mut scratch) = (Batch::new(local), Scratch::default());
        let (limiter, mut batches) = (self.limiter.as_deref(), 0_u64);
        while !stopping.load(Ordering::Relaxed) {
            match batch.receive(&socket) {
                Ok(0) => continue,
                Ok(received) => {
                    let is_timed = batches.is_multiple_of(TIMED_ONE_IN);
                    batches += 1;
                    // The clock is read once for all of them, if anybody wants to know.
                    let began = (is_timed || limiter.is_some()).then(Instant::now);
                    let limit = limiter.zip(began).map(|(limiter, began)| (limiter, limiter.second_of(began)));
                    // One snapshot for all of them, and one time.
                    let (directory, options, now) = (self.directory.load(), self.options.load(), cookie_clock::now());
                    let peer = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
                    // What diagnoses is not plain, and so not for here.
                    let rights = Rights::Plain;
                    let context = Context { transport: Transport::Udp, peer, now, options: &options, rights };
                    let (answers, by) = ((&**directory, context), (limit, &self.counters));
                    answer_batch(answers, &mut scratch, &mut batch, received, by, |packet, envelope| {
                        self.slow.give(&socket, packet, envelope, &self.counters);
                    });
                    drop(directory);
                    send(&mut batch, &socket, &self.counters);
                    if let Some(began) = began.filter(|_| is_timed) {
                        self.counters.took(began.elapsed());
                    }
                }
                Err(_) => {
                    // Such as an ICMP message about an earlier reply. It says nothing about this socket.
                    self.counters.add(|all| &all.socket_errors);
                    std::thread::sleep(ERROR_PAUSE);
                }
            }
        }
        Ok(())
    }
}

fn send(batch: &mut Batch, socket: &UdpSocket, counters: &Own) {
    let failed = batch.send(socket);
    if failed > 0 {
        counters.add_to(&counters.socket_errors, failed as u64);
    }
}

/// Answers what was received, but for what is not plain.
#[inline]
fn answer_batch(
    (directory, context): (&Directory, Context<'_>),
    scratch: &mut Scratch,
    batch: &mut Batch,
    received: usize,
    (limit, counters): (Option<limiting::Limit<'_>>, &Own),
    mut give: impl FnMut(&[u8], datagrams::Envelope),
) {
    for first in (0..received).step_by(GROUP_SIZE) {
        let group = first..received.min(first + GROUP_SIZE);
        scratch.look_ahead(directory, group.clone().map(|place| batch.request(place)));
        for place in group {
            let client = batch.peer(place).filter(|client| !PORTS_NOT_ANSWERED.contains(&client.port()));
            let Some(client) = client else {
                counters.add(|all| &all.dropped_port);
                continue;
            };
            let context = Context { peer: client.ip(), ..context };
            let (packet, reply) = batch.exchange(place);
            match scratch.answer_next(directory, (place - first, packet), &context, reply) {
                Verdict::Reply(length, rcode) => {
                    let about = scratch.about();
                    counters.asked(about.rtype);
                    let judged = limiting::Judged { client, about, rcode, is_proven: scratch.had_valid_cookie() };
                    if let Some(length) = limiting::limit(limit, judged, &mut reply[..length], counters) {
                        counters.replied(rcode, &reply[..length]);
                        batch.reply(place, length);
                    }
                }
                Verdict::Slow => give(batch.request(place), batch.envelope(place)),
                Verdict::Drop => counters.add(|all| &all.dropped),
            }
        }
    }
}
