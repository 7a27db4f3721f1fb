//! Answers over TCP (RFC 7766): several questions a connection, answered in order, within limits for everything that a
//! client could make grow.

use crate::access::{Access, Rights};
use crate::answer::{Context, Options, Scratch, TCP_REPLY_SIZE, Transport, Verdict, answer, answer_slowly};
use crate::cookie_clock;
use crate::counters::{Shared, TIMED_ONE_IN, Tally};
use crate::snapshot::Directory;
use arc_swap::ArcSwap;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// The pause when a connection cannot be accepted, as when there are no more descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// A question that has begun must arrive whole within this time, so that nobody holds a connection by single octets.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);
/// Replies must be taken within this time, so that nobody makes us keep them.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection lasts at most, however busy.
const LIFETIME: Duration = Duration::from_secs(600);
/// Questions answered on one connection at most.
const QUESTIONS_MAX: usize = 10_000;
/// Replies are written out when this much has gathered, even if more questions wait.
const WRITE_SIZE: usize = 64 << 10;
/// What is read at a time, and kept between questions.
const READ_SIZE: usize = 4096;

/// Limits that operators may set.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections_max: usize,
    /// Connections at once from one client: an IPv4 address, or an IPv6 network of 64 bits.
    pub connections_per_client_max: usize,
    /// How long a connection may be silent.
    pub idle_timeout: Duration,
}

/// How many connections there are, over all listeners.
#[derive(Debug)]
pub struct Connections {
    limits: Limits,
    open: Mutex<(usize, HashMap<IpAddr, usize>)>,
}

impl Connections {
    /// None yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, open: Mutex::default() }
    }

    fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Admitted> {
        let client = client_of(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.0 >= self.limits.connections_max {
            return None;
        }
        let of_client = open.1.entry(client).or_default();
        if *of_client >= self.limits.connections_per_client_max {
            return None;
        }
        *of_client += 1;
        open.0 += 1;
        Some(Admitted { connections: self.clone(), client })
    }
}

/// A connection's place among the others, given back when dropped.
struct Admitted {
    connections: Arc<Connections>,
    client: IpAddr,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.0 -= 1;
        if let Some(of_client) = open.1.get_mut(&self.client) {
            *of_client -= 1;
            if *of_client == 0 {
                open.1.remove(&self.client);
            }
        }
    }
}

fn client_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        // Whoever has one address of a /64 has them all.
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

/// Accepts and serves connections until told to stop.
///
/// # Errors
/// When the listener cannot be used at all.
pub async fn serve(
    listener: std::net::TcpListener,
    (directory, options): (Arc<ArcSwap<Directory>>, Arc<ArcSwap<Options>>),
    (connections, access): (Arc<Connections>, Arc<Access>),
    counters: Shared,
    stop: CancellationToken,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut serving = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(served) = serving.join_next() => match served {
                Err(error) if error.is_panic() => return Err(io::Error::other(error)),
                _ => continue,
            },
            () = stop.cancelled() => break,
        };
        let Ok((stream, client)) = accepted else {
            counters.add(|all| &all.socket_errors);
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Some(admitted) = connections.admit(client.ip()) else {
            counters.add(|all| &all.rejected);
            continue;
        };
        counters.add(|all| &all.accepted);
        let rights = access.rights_of(client.ip());
        let (directory, options) = (directory.clone(), options.clone());
        let (counters, stop) = (counters.clone(), stop.clone());
        serving.spawn(async move {
            let idle_timeout = admitted.connections.limits.idle_timeout;
            counters.add(|all| &all.open);
            let (peer, counters) = (client.ip(), &counters);
            let conversation = Conversation { stream, peer, rights, directory, options, counters, idle_timeout };
            // How a connection ends is the client's affair.
            let _ = conversation.run(&stop).await;
            counters.closed();
            drop(admitted);
        });
    }
    // What has been asked is answered before the end; the conversations have seen the same signal.
    while serving.join_next().await.is_some() {}
    Ok(())
}

thread_local! {
    /// Room to answer in. A conversation needs it only between two awaits, so one for each thread is enough.
    static ROOM: RefCell<(Scratch, Box<[u8]>)> =
        RefCell::new((Scratch::default(), vec![0; TCP_REPLY_SIZE].into()));
    /// How many questions this thread has answered.
    static ANSWERED: Cell<u64> = const { Cell::new(0) };
}

struct Conversation<'c> {
    stream: TcpStream,
    peer: IpAddr,
    directory: Arc<ArcSwap<Directory>>,
    rights: Rights,
    options: Arc<ArcSwap<Options>>,
    counters: &'c Shared,
    idle_timeout: Duration,
}

impl Conversation<'_> {
    async fn run(mut self, stop: &CancellationToken) -> io::Result<()> {
        let _ = self.stream.set_nodelay(true);
        let end = Instant::now() + LIFETIME;
        let mut received = Vec::with_capacity(READ_SIZE);
        let mut replies = Vec::new();
        let mut questions_left = QUESTIONS_MAX;
        loop {
            // All whole questions that are here, in order.
            let mut at = 0;
            let mut timed = None;
            while let Some(question) = next_message(&received[at..]) {
                at += 2 + question.len();
                if ANSWERED.replace(ANSWERED.get() + 1).is_multiple_of(TIMED_ONE_IN) {
                    timed = Some(std::time::Instant::now());
                }
                self.answer(question, &mut replies);
                questions_left -= 1;
                if replies.len() >= WRITE_SIZE {
                    self.write(&mut replies).await?;
                }
                if questions_left == 0 {
                    break;
                }
            }
            self.write(&mut replies).await?;
            if let Some(began) = timed {
                self.counters.took(began.elapsed());
            }
            received.drain(..at);
            if received.is_empty() {
                received.shrink_to(READ_SIZE);
            }
            if questions_left == 0 || Instant::now() >= end {
                return self.stream.shutdown().await;
            }
            let patience = if received.is_empty() { self.idle_timeout } else { QUESTION_TIMEOUT };
            let read = tokio::select! {
                read = read_on(&mut self.stream, &mut received, patience, end) => read?,
                () = stop.cancelled() => false,
            };
            if !read {
                return self.stream.shutdown().await;
            }
        }
    }

    /// Adds the answer to `replies`, with its length before it.
    fn answer(&self, question: &[u8], replies: &mut Vec<u8>) {
        let (directory, options, now) = (self.directory.load(), self.options.load(), cookie_clock::now());
        let context =
            Context { transport: Transport::Tcp, peer: self.peer, now, options: &options, rights: self.rights };
        ROOM.with_borrow_mut(|(scratch, reply)| {
            let mut verdict = answer(&directory, scratch, question, &context, reply);
            if verdict == Verdict::Slow {
                verdict = answer_slowly(&directory, scratch, question, &context, reply);
            }
            let Verdict::Reply(length, rcode) = verdict else { return self.counters.add(|all| &all.dropped) };
            self.counters.asked(scratch.about().rtype);
            self.counters.replied(rcode, &reply[..length]);
            replies.extend_from_slice(&u16::try_from(length).unwrap_or(0).to_be_bytes());
            replies.extend_from_slice(&reply[..length]);
        });
    }

    async fn write(&mut self, replies: &mut Vec<u8>) -> io::Result<()> {
        if !replies.is_empty() {
            timeout(WRITE_TIMEOUT, self.stream.write_all(replies)).await??;
            replies.clear();
            replies.shrink_to(WRITE_SIZE);
        }
        Ok(())
    }
}

/// The first message in `received`, if all of it is there.
fn next_message(received: &[u8]) -> Option<&[u8]> {
    let (length, rest) = received.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}

/// Reads until one more message is whole; false at the end of the stream, or when the client takes too long: to begin, or
/// from then on to finish.
async fn read_on(stream: &mut TcpStream, received: &mut Vec<u8>, patience: Duration, end: Instant) -> io::Result<bool> {
    let mut deadline = (Instant::now() + patience).min(end);
    loop {
        let had_begun = !received.is_empty();
        let Ok(read) = timeout_at(deadline, stream.read_buf(received)).await else { return Ok(false) };
        if read? == 0 {
            return Ok(false);
        }
        if next_message(received).is_some() {
            return Ok(true);
        }
        if !had_begun {
            deadline = (Instant::now() + QUESTION_TIMEOUT).min(end);
        }
        received.reserve(READ_SIZE);
    }
}
