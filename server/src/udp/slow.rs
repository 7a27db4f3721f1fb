//! What is not a plain query: errors, other opcodes and classes, questions before there is data. One thread for all workers takes
//! it from a queue that is bounded, so that a flood of it costs those who ask plainly next to nothing.

use super::limiting;
use crate::access::Access;
use crate::answer::{Context, Options, Scratch, Transport, UDP_REPLY_SIZE, Verdict, answer_slowly};
use crate::cookie_clock;
use crate::counters::{Own, Tally};
use crate::rate_limit::RateLimiter;
use crate::snapshot::Directory;
use arc_swap::ArcSwap;
use datagrams::Envelope;
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;
use tokio::sync::oneshot;

/// How many packets may wait. What comes when there are more is dropped, and counted.
const WAITING_MAX: usize = 1024;

struct Waiting {
    socket: Arc<UdpSocket>,
    packet: Vec<u8>,
    envelope: Envelope,
}

/// The way to the slow path. It ends with its last clone.
#[derive(Clone, Debug)]
pub struct Slow(SyncSender<Waiting>);

/// What answers slowly.
#[derive(Debug)]
pub struct SlowPath {
    /// What is served.
    pub directory: Arc<ArcSwap<Directory>>,
    /// What may be told of this server.
    pub options: Arc<ArcSwap<Options>>,
    /// Who may ask for what.
    pub access: Arc<Access>,
    /// What limits replies, if anything does.
    pub limiter: Option<Arc<RateLimiter>>,
    /// What is counted of clients with IPv4 addresses, and of those with IPv6.
    pub counters: [Own; 2],
}

impl Slow {
    /// Begins a slow path; what is returned with it ends when it ended.
    ///
    /// # Errors
    /// There can be no more threads.
    pub fn start(path: SlowPath) -> io::Result<(Self, oneshot::Receiver<()>)> {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let (tell, ended) = oneshot::channel();
        std::thread::Builder::new().name("udp-slow".to_owned()).spawn(move || {
            path.run(&receiver);
            let _ = tell.send(());
        })?;
        Ok((Self(sender), ended))
    }

    pub(super) fn give(&self, socket: &Arc<UdpSocket>, packet: &[u8], envelope: Envelope, counters: &Own) {
        let (socket, packet) = (socket.clone(), packet.to_vec());
        if self.0.try_send(Waiting { socket, packet, envelope }).is_err() {
            counters.add(|all| &all.dropped_slow);
        }
    }
}

impl SlowPath {
    fn run(self, receiver: &Receiver<Waiting>) {
        let (mut scratch, mut reply) = (Scratch::default(), vec![0; UDP_REPLY_SIZE]);
        let [of_v4, of_v6] = &self.counters;
        for Waiting { socket, packet, envelope } in receiver {
            let Some(client) = envelope.peer() else { continue };
            let counters = if client.is_ipv6() { of_v6 } else { of_v4 };
            let (options, now, rights) = (self.options.load(), cookie_clock::now(), self.access.rights_of(client.ip()));
            let context = Context { transport: Transport::Udp, peer: client.ip(), now, options: &options, rights };
            match answer_slowly(&self.directory.load(), &mut scratch, &packet, &context, &mut reply) {
                Verdict::Reply(length, rcode) => {
                    let about = scratch.about();
                    counters.asked(about.rtype);
                    let limit = self.limiter.as_deref().map(|limiter| (limiter, limiter.second_of(Instant::now())));
                    let judged = limiting::Judged { client, about, rcode, is_proven: scratch.had_valid_cookie() };
                    let Some(length) = limiting::limit(limit, judged, &mut reply[..length], counters) else { continue };
                    counters.replied(rcode, &reply[..length]);
                    if envelope.send(&socket, &reply[..length]).is_err() {
                        counters.add(|all| &all.socket_errors);
                    }
                }
                Verdict::Drop | Verdict::Slow => counters.add(|all| &all.dropped),
            }
        }
    }
}
