//! The client: asks from many ports, many questions at a time, and looks at each answer.

use crate::contents::Contents;
use datagrams::{Batch, Local};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Questions that are made beforehand. An answer's id tells its question.
const QUESTIONS: usize = 1 << 16;
/// Rounds of questions with other names, so that more names are asked for than there are ids.
const ROUNDS: usize = 4;
/// Questions without an answer yet, at most, over all ports.
const OPEN: usize = 512;
/// After so long without an answer, those that are open are taken for lost.
const LOST_AFTER: Duration = Duration::from_millis(50);

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mix {
    /// 90 % of addresses that are there, 5 % of other types, 5 % of names that are not there.
    Mostly,
    /// 60, 20 and 20.
    Mixed,
}

impl Mix {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mostly => "90/5/5",
            Self::Mixed => "60/20/20",
        }
    }

    const fn shares(self) -> (usize, usize) {
        match self {
            Self::Mostly => (90, 5),
            Self::Mixed => (60, 20),
        }
    }
}

/// What a right answer begins with: its code, and how many records it has.
#[derive(Clone, Copy)]
struct Want {
    rcode: u8,
    answers: u8,
}

/// How one run went.
pub(crate) struct Run {
    pub(crate) answered: u64,
    pub(crate) took: Duration,
    /// By how many octets an answer was longer than its question, on average.
    pub(crate) octets_more: usize,
}

/// A client with its questions.
pub(crate) struct Load<'c> {
    ports: usize,
    questions: Vec<Vec<u8>>,
    wants: Vec<Want>,
    next: usize,
    latencies: Option<Latencies>,
    _contents: &'c Contents,
}

/// When each question was asked, by its id, and how long answers took.
struct Latencies {
    asked: Vec<Instant>,
    took: Vec<Duration>,
}

/// Numbers in an order that looks random.
fn mixed(number: usize) -> usize {
    let mut mixed = number as u64 ^ 0x5851_f42d_4c95_7f2d;
    for _ in 0..3 {
        mixed = (mixed ^ mixed >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (mixed >> 20) as usize
}

impl<'c> Load<'c> {
    /// Half of the questions come with EDNS.
    pub(crate) fn new(contents: &'c Contents, mix: Mix, ports: usize) -> Self {
        let (hits, no_data) = mix.shares();
        let kind = |id: usize| mixed(id + 1) % 100;
        let wants = (0..QUESTIONS).map(|id| match kind(id) {
            kind if kind < hits => Want { rcode: 0, answers: 1 },
            kind if kind < hits + no_data => Want { rcode: 0, answers: 0 },
            _ => Want { rcode: 3, answers: 0 },
        });
        let question = |number: usize| {
            let (id, name) = (number % QUESTIONS, mixed(number + QUESTIONS * ROUNDS));
            let (label, rtype) = match kind(id) {
                kind if kind < hits => (contents.name(name), 1),
                kind if kind < hits + no_data => (contents.name(name), 28),
                _ => (format!("x{:07}", name % 10_000_000), 1),
            };
            let [i1, i2] = (id as u16).to_be_bytes();
            let mut packet = vec![i1, i2, 0, 0, 0, 1, 0, 0, 0, 0, 0, (number % 2) as u8];
            let zone = contents.zone(mixed(number + 7) % contents.zones);
            for label in format!("{label}.{zone}").split_terminator('.') {
                packet.push(label.len() as u8);
                packet.extend_from_slice(label.as_bytes());
            }
            packet.extend_from_slice(&[0, 0, rtype, 0, 1]);
            if number % 2 == 1 {
                packet.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
            }
            packet
        };
        let (questions, wants) = ((0..QUESTIONS * ROUNDS).map(question).collect(), wants.collect());
        Self { ports, questions, wants, next: 0, latencies: None, _contents: contents }
    }

    /// From now on, looks how long each answer takes.
    #[allow(dead_code, reason = "every benchmark takes what it needs")]
    pub(crate) fn measure_latencies(&mut self) {
        self.latencies = Some(Latencies { asked: vec![Instant::now(); QUESTIONS], took: Vec::new() });
    }

    /// How long the answers of the last run took, the shortest first.
    #[allow(dead_code, reason = "every benchmark takes what it needs")]
    pub(crate) fn latencies(&mut self) -> Vec<Duration> {
        let mut took = self.latencies.as_mut().map(|latencies| std::mem::take(&mut latencies.took)).unwrap_or_default();
        took.sort_unstable();
        took
    }

    /// Asks for so long, as fast as answers come or at so many questions a second.
    pub(crate) fn run(&mut self, server: SocketAddr, duration: Duration, rate: Option<f64>) -> Run {
        let open = || {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.connect(server).unwrap();
            socket.set_nonblocking(true).unwrap();
            (socket, 0_usize)
        };
        let mut sockets: Vec<(UdpSocket, usize)> = (0..self.ports).map(|_| open()).collect();
        let each = (OPEN / self.ports).clamp(1, datagrams::PLACES);
        let mut batch = Batch::new(Local::Bound);
        let (mut answered, mut asked, mut octets) = (0_u64, 0_u64, 0_i64);
        let began = Instant::now();
        let mut last_answer = began;
        loop {
            let now = Instant::now();
            if now - began >= duration {
                break;
            }
            let lost = now - last_answer > LOST_AFTER;
            let may_ask = rate.map_or(u64::MAX, |rate| ((now - began).as_secs_f64() * rate) as u64);
            for (socket, waiting) in &mut sockets {
                let received = batch.receive(socket).unwrap_or(0);
                for place in 0..received {
                    octets += self.check(batch.request(place));
                }
                if let Some(latencies) = self.latencies.as_mut().filter(|_| received > 0) {
                    let came = Instant::now();
                    for place in 0..received {
                        let asked = latencies.asked[id_of(batch.request(place))];
                        latencies.took.push(came - asked);
                    }
                }
                answered += received as u64;
                if received > 0 {
                    last_answer = now;
                }
                *waiting = if lost { 0 } else { waiting.saturating_sub(received) };
                let count = (each - *waiting).min(may_ask.saturating_sub(asked) as usize);
                let asking = self.latencies.as_ref().filter(|_| count > 0).map(|_| Instant::now());
                for place in 0..count {
                    let question = &self.questions[self.next];
                    if let (Some(latencies), Some(asking)) = (&mut self.latencies, asking) {
                        latencies.asked[id_of(question)] = asking;
                    }
                    batch.room(place)[..question.len()].copy_from_slice(question);
                    batch.send_later(place, question.len(), None);
                    self.next = (self.next + 1) % self.questions.len();
                }
                let failed = batch.send(socket);
                *waiting += count - failed;
                asked += count as u64;
            }
            if lost {
                last_answer = now;
            }
        }
        let octets_more = usize::try_from(octets / i64::try_from(answered.max(1)).unwrap()).unwrap_or(0);
        Run { answered, took: began.elapsed(), octets_more }
    }

    /// Looks at an answer; by how many octets it is longer than its question. The echo's are no answers at all.
    fn check(&self, answer: &[u8]) -> i64 {
        let &[i1, i2, flags, rcode, _, _, _, answers, ..] = answer else {
            panic!("an answer of {} octets", answer.len())
        };
        let id = usize::from(u16::from_be_bytes([i1, i2]));
        if flags & 0x80 != 0 {
            let Want { rcode: want_rcode, answers: want_answers } = self.wants[id];
            assert_eq!((rcode & 15, answers), (want_rcode, want_answers), "a wrong answer to question {id}");
        }
        answer.len() as i64 - self.questions[id].len() as i64
    }
}

/// A message's id.
fn id_of(message: &[u8]) -> usize {
    message.first_chunk().map_or(0, |id| usize::from(u16::from_be_bytes(*id)))
}
