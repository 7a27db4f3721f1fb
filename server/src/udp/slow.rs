//! What is not a plain query: errors, other opcodes and classes, questions before there is data. One thread for all workers takes
//! it from a queue that is bounded, so that a flood of it costs those who ask plainly next to nothing.

use crate::answer::{Context, Options, Scratch, Transport, UDP_REPLY_SIZE, Verdict, answer_slowly};
use crate::cookie_clock;
use crate::counters::Counters;
use crate::snapshot::Directory;
use arc_swap::ArcSwap;
use datagrams::Envelope;
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::sync::oneshot;

/// How many packets may wait. What comes when there are more is dropped, and counted.
const WAITING_MAX: usize = 1024;

struct Waiting {
    socket: Arc<UdpSocket>,
    packet: Vec<u8>,
    envelope: Envelope,
    counters: Arc<Counters>,
}

/// The way to the slow path. It ends with its last clone.
#[derive(Clone, Debug)]
pub struct Slow(SyncSender<Waiting>);

impl Slow {
    /// Begins a slow path that answers from `directory`; what is returned with it ends when it ended.
    ///
    /// # Errors
    /// There can be no more threads.
    pub fn start(
        directory: Arc<ArcSwap<Directory>>,
        options: Arc<ArcSwap<Options>>,
    ) -> io::Result<(Self, oneshot::Receiver<()>)> {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let (tell, ended) = oneshot::channel();
        std::thread::Builder::new().name("udp-slow".to_owned()).spawn(move || {
            run(&receiver, &directory, &options);
            let _ = tell.send(());
        })?;
        Ok((Self(sender), ended))
    }

    pub(super) fn give(&self, socket: &Arc<UdpSocket>, packet: &[u8], envelope: Envelope, counters: &Arc<Counters>) {
        let (socket, packet, owned) = (socket.clone(), packet.to_vec(), counters.clone());
        if self.0.try_send(Waiting { socket, packet, envelope, counters: owned }).is_err() {
            counters.dropped_slow.add();
        }
    }
}

fn run(receiver: &Receiver<Waiting>, directory: &ArcSwap<Directory>, options: &ArcSwap<Options>) {
    let (mut scratch, mut reply) = (Scratch::default(), vec![0; UDP_REPLY_SIZE]);
    for Waiting { socket, packet, envelope, counters } in receiver {
        let Some(peer) = envelope.peer() else { continue };
        let (options, now) = (options.load(), cookie_clock::now());
        let context = Context { transport: Transport::Udp, peer: peer.ip(), now, options: &options };
        match answer_slowly(&directory.load(), &mut scratch, &packet, &context, &mut reply) {
            Verdict::Reply(length, rcode) => {
                counters.replied(rcode);
                if envelope.send(&socket, &reply[..length]).is_err() {
                    counters.socket_errors.add();
                }
            }
            Verdict::Drop | Verdict::Slow => counters.dropped.add(),
        }
    }
}
