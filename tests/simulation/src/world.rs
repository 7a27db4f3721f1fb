//! One schedule: the actors, the database between them, and the order in which a seed lets things happen.

use crate::actors::{Client, Enactor, Operator, Retiring, Server, Task};
use crate::database::{Answer, Begun, Database, Tables, Work};
use crate::events::{Actor, Call, Event, Queue, Who};
use crate::fault::Fault;
use crate::figures::Figures;
use crate::layout::Layout;
use crate::ledger::{Broken, Ledger, Promise, Verdict};
use crate::random::Random;
use crate::template::Template;
use crate::time::Time;
use crate::words::Words;
use std::rc::Rc;

/// More than this happens only where something goes round in circles.
const EVENTS_MAX: u64 = 20_000;

/// Whether a program runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Life {
    pub(crate) incarnation: u32,
    pub(crate) is_dead: bool,
    pub(crate) stopped_until: Time,
}

/// How a schedule ended.
#[derive(Debug)]
pub struct Ended {
    /// The promise that was broken, if one was.
    pub broken: Option<Broken>,
    /// What happened.
    pub figures: Figures,
    /// What happened, in words, where it was asked for.
    pub trace: Vec<String>,
}

/// A schedule while it runs.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) words: Rc<Words>,
    pub(crate) layout: Layout,
    pub(crate) fault: Option<Fault>,
    pub(crate) now: Time,
    pub(crate) random: Random,
    pub(crate) queue: Queue,
    pub(crate) database: Database,
    pub(crate) backups: Vec<Tables>,
    /// How often the database went back in time.
    pub(crate) restores: u32,
    /// Since when the database has answered without a break.
    pub(crate) up_since: Time,
    pub(crate) ledgers: Vec<Ledger>,
    pub(crate) apis: Vec<Life>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) clients: Vec<Client>,
    pub(crate) operator: Operator,
    pub(crate) enactors: Vec<Enactor>,
    pub(crate) retiring: Vec<Retiring>,
    pub(crate) servers: Vec<Server>,
    pub(crate) server_names: Vec<String>,
    pub(crate) is_calm: bool,
    pub(crate) tags: u32,
    pub(crate) stamps: u16,
    pub(crate) figures: Figures,
    trace: Option<Vec<String>>,
    is_over: bool,
}

/// Runs the schedule of a seed.
#[must_use]
pub fn run(template: &Template, seed: u64, fault: Option<Fault>, traced: bool) -> Ended {
    let mut random = Random::new(seed);
    let layout = Layout::new(&mut random, fault);
    let mut world = World::new(template, layout, random, fault, traced);
    world.begin();
    let broken = world.run().err();
    if let Some(broken) = &broken {
        world.tell(|| format!("BROKEN {broken}"));
    }
    world.figures.count("schedules");
    Ended { broken, figures: world.figures, trace: world.trace.unwrap_or_default() }
}

impl World {
    fn new(template: &Template, layout: Layout, random: Random, fault: Option<Fault>, traced: bool) -> Self {
        let words = template.words.clone();
        let database = Database::new(words.clone(), template.tables(&layout), fault);
        let servers = layout.servers.iter().map(|ring| Server::new(*ring, layout.groups)).collect();
        Self {
            apis: vec![Life::default(); 2],
            tasks: Vec::new(),
            clients: vec![Client::default(); layout.clients],
            operator: Operator::default(),
            enactors: vec![Enactor::default(); 2],
            retiring: vec![Retiring::default(); 2],
            servers,
            server_names: (0..layout.servers.len()).map(|server| format!("s{server}")).collect(),
            ledgers: template.ledgers(&layout),
            now: Time(0),
            queue: Queue::default(),
            backups: vec![database.tables.clone()],
            restores: 0,
            up_since: Time(0),
            is_calm: false,
            tags: 100,
            stamps: 100,
            figures: Figures::default(),
            trace: traced.then(Vec::new),
            is_over: false,
            words,
            layout,
            fault,
            random,
            database,
        }
    }

    fn begin(&mut self) {
        let layout = self.layout.clone();
        self.tell(|| format!("{layout:?}"));
        for client in 0..self.clients.len() {
            self.after(0, 1_500, Event::Client(client));
        }
        self.after(500, 3_000, Event::Operator);
        for enactor in 0..self.enactors.len() {
            let who = self.who(Actor::Enactor(enactor));
            self.after(0, 1_000, Event::Look(who, true));
        }
        for retirement in 0..self.retiring.len() {
            let who = self.who(Actor::Retirement(retirement));
            self.after(0, 4_000, Event::Retire(who));
        }
        self.after(0, 4_000, Event::Reader(None));
        for server in 0..self.servers.len() {
            let who = self.who(Actor::Server(server));
            self.after(0, 300, Event::Connect(who));
            self.after(300, 1_500, Event::Follow(who, true));
        }
        self.after(500, 3_000, Event::Chaos);
        self.queue.push(Time(self.layout.chaos_ms), Event::Calm);
    }

    fn run(&mut self) -> Verdict {
        let mut events = 0;
        while !self.is_over {
            let Some((at, event)) = self.queue.pop() else { break };
            self.now = at;
            events += 1;
            if events > EVENTS_MAX {
                let how = "the programs never come to rest".to_owned();
                return Err(Broken { promise: Promise::NewestWins, how });
            }
            self.happens(event)?;
        }
        self.figures.add("events", events);
        Ok(())
    }

    fn happens(&mut self, event: Event) -> Verdict {
        match event {
            Event::Send(call) => self.send_now(call),
            Event::Arrive(call) => self.arrives(call),
            Event::Commit(number, call) => return self.commits(number, call),
            Event::Reply(call, answer) => return self.replied(call, answer),
            Event::Client(client) => self.client_thinks(client),
            Event::Told(client, tag, told) => return self.client_is_told(client, tag, told),
            Event::Task(task, who) => self.task_steps(task, who),
            Event::Operator => self.operator_acts(),
            Event::Look(who, is_tick) => self.enactor_looks(who, is_tick),
            Event::Follow(who, is_tick) => return self.server_looks(who, is_tick),
            Event::Install(who, building) => return self.server_installs(who, building),
            Event::Connect(who) => self.server_connects(who),
            Event::Dies(who) => self.server_dies(who),
            Event::Retire(who) => self.retiring_steps(who),
            Event::Reader(None) => self.reader_asks(),
            Event::Reader(Some(reading)) => return self.reader_reads(reading),
            Event::Start(actor) => self.starts(actor),
            Event::Resume(who) => self.server_resumes(who),
            Event::Up(backup) => self.database_comes_up(backup),
            Event::Chaos => self.chaos(),
            Event::Calm => self.calms_down(),
            Event::Check => self.is_over = self.is_everything_served()?,
        }
        Ok(())
    }

    /// Something happens between so and so many milliseconds from now.
    pub(crate) fn after(&mut self, least_ms: u64, most_ms: u64, event: Event) {
        let at = self.now.plus_ms(self.random.between(least_ms, most_ms));
        self.queue.push(at, event);
    }

    /// How long a message takes: mostly little, and sometimes long.
    pub(crate) fn message_ms(&mut self) -> u64 {
        if !self.is_calm && self.random.percent(6) {
            self.random.between(100, 4_000)
        } else {
            self.random.between(0, 12)
        }
    }

    /// Whether a message is lost.
    pub(crate) fn is_lost(&mut self) -> bool {
        !self.is_calm && self.random.percent(3)
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// What happens, for people; put into words only where somebody reads them.
    pub(crate) fn tell(&mut self, words: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", self.now, words()));
        }
    }

    pub(crate) fn life(&mut self, actor: Actor) -> &mut Life {
        match actor {
            Actor::Api(api) => &mut self.apis[api],
            Actor::Enactor(enactor) => &mut self.enactors[enactor].life,
            Actor::Server(server) => &mut self.servers[server].life,
            Actor::Retirement(retirement) => &mut self.retiring[retirement].life,
            Actor::Operator => &mut self.operator.life,
        }
    }

    pub(crate) fn who(&mut self, actor: Actor) -> Who {
        Who { actor, incarnation: self.life(actor).incarnation }
    }

    /// Whether this start of the actor goes on now; else when it does, if it ever does.
    pub(crate) fn awake(&mut self, who: Who) -> Result<(), Option<Time>> {
        let now = self.now;
        let life = self.life(who.actor);
        if life.is_dead || life.incarnation != who.incarnation {
            return Err(None);
        }
        if life.stopped_until > now { Err(Some(life.stopped_until)) } else { Ok(()) }
    }

    /// Whether the actor goes on now; if it is stopped, the event happens when it goes on.
    pub(crate) fn may(&mut self, who: Who, event: impl FnOnce() -> Event) -> bool {
        match self.awake(who) {
            Ok(()) => true,
            Err(Some(later)) => {
                self.queue.push(later, event());
                false
            }
            Err(None) => false,
        }
    }

    /// A call is on its way out; sometimes it comes twice, but for a server's, whose connection orders what it says.
    pub(crate) fn send(&mut self, who: Who, task: usize, work: Work) {
        let call = Call { who, task, work, arrived: None, is_heard: true };
        if !self.is_calm && !matches!(who.actor, Actor::Server(_)) && self.random.percent(2) {
            self.after(0, 3_000, Event::Arrive(Box::new(Call { is_heard: false, ..call.clone() })));
        }
        let ms = self.message_ms();
        self.after(ms, ms, Event::Send(Box::new(call)));
    }

    fn send_now(&mut self, call: Box<Call>) {
        match self.awake(call.who) {
            Ok(()) if self.is_lost() => {
                self.figures.count("calls lost");
                self.after(1_000, 3_000, Event::Reply(call, Answer::Lost));
            }
            Ok(()) => self.after(0, 5, Event::Arrive(call)),
            Err(Some(later)) => self.queue.push(later, Event::Send(call)),
            Err(None) => {}
        }
    }

    fn arrives(&mut self, mut call: Box<Call>) {
        let arrived = *call.arrived.get_or_insert(self.now);
        let waited = self.now.0 - arrived.0;
        match self.database.begin(&call.work, waited, self.now) {
            Begun::Over(answer) => {
                if let Answer::Refused(code) = answer {
                    self.figures.count(code);
                    self.tell(|| format!("{:?} {} is refused: {code}", call.who.actor, shown(&call.work)));
                    if call.is_heard && matches!(call.who.actor, Actor::Api(_)) {
                        self.task_is_refused_at_the_door(call.task);
                    }
                }
                self.replies(call, answer);
            }
            Begun::Waits => self.after(5, 60, Event::Arrive(call)),
            Begun::Open(number) => {
                let ms = if !self.is_calm && self.random.percent(5) { 900 } else { 8 };
                self.after(0, ms, Event::Commit(number, call));
            }
        }
    }

    fn commits(&mut self, number: u64, call: Box<Call>) -> Verdict {
        let before = self.seen_before(&call.work);
        let answer = self.database.commit(number, self.now);
        let verdict = self.seen(&call, &answer, before);
        self.replies(call, answer);
        verdict
    }

    fn replies(&mut self, call: Box<Call>, answer: Answer) {
        if !call.is_heard {
            return;
        }
        if self.is_lost() {
            self.figures.count("answers lost");
            self.after(1_000, 3_000, Event::Reply(call, Answer::Lost));
        } else {
            let ms = self.message_ms();
            self.after(ms, ms, Event::Reply(call, answer));
        }
    }

    fn replied(&mut self, call: Box<Call>, answer: Answer) -> Verdict {
        match self.awake(call.who) {
            Ok(()) => {}
            Err(Some(later)) => {
                self.queue.push(later, Event::Reply(call, answer));
                return Ok(());
            }
            Err(None) => return Ok(()),
        }
        match call.who.actor {
            Actor::Api(_) => self.task_is_answered(call.task, call.who, answer),
            Actor::Enactor(enactor) => self.enactor_is_answered(enactor, call.who, &call.work, &answer),
            Actor::Server(_) => self.server_is_answered(call.who, &call.work, &answer),
            Actor::Retirement(retirement) => self.retiring_is_answered(retirement, call.who, &answer),
            Actor::Operator => self.operator_is_answered(),
        }
        Ok(())
    }
}

/// A call in a word or two.
pub(crate) fn shown(work: &Work) -> String {
    match work {
        Work::Stage(staged) => format!("stage(group {}, base {})", staged.group, staged.base),
        Work::Admit(admit) => {
            let (number, base) = (admit.admission.version.generation, admit.admission.base);
            format!("admit(group {}, generation {number}, base {base})", admit.group)
        }
        Work::Move(one) => format!("enact(group {}, ring {}, generation {})", one.group, one.ring, one.to.generation),
        Work::Judge(judge) => {
            let word = if judge.passed { "passed" } else { "failed" };
            format!("judge(group {}, generation {}, {word})", judge.group, judge.generation)
        }
        Work::Stops(stops) => {
            let word = if stops.freezes { "freeze" } else { "thaw" };
            format!("{word}(group {:?}, ring {:?})", stops.group, stops.ring)
        }
        Work::Retire(retire) => format!("retire(group {}, {:?})", retire.group, retire.step),
        Work::Pin(group, generation) => format!("pin(group {group}, generation {generation})"),
        Work::Unpin(group, pin) => format!("unpin(group {group}, pin {pin})"),
        Work::Report { server, group, version, .. } => {
            format!("report(server {server}, group {group}, generation {})", version.generation)
        }
    }
}
