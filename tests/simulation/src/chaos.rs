//! What goes wrong, and that it ends.

use crate::events::{Actor, Event};
use crate::time::Time;
use crate::world::World;

impl World {
    /// One thing goes wrong, and the next one will.
    pub(crate) fn chaos(&mut self) {
        if self.is_calm {
            return;
        }
        self.after(300, 2_600, Event::Chaos);
        match self.random.below(100) {
            0..28 => self.someone_is_stopped(),
            28..52 => self.someone_dies(),
            52..62 => self.database_goes_down(None),
            62..84 => self.somebody_backs_up(),
            84..92 => {
                let backup = self.random.below(self.backups.len());
                self.database_goes_down(Some(backup));
            }
            _ => {}
        }
    }

    fn someone(&mut self) -> Actor {
        let enactor = Actor::Enactor(self.random.below(self.enactors.len()));
        let api = Actor::Api(self.random.below(self.apis.len()));
        let server = Actor::Server(self.random.below(self.servers.len()));
        let retirement = Actor::Retirement(self.random.below(self.retiring.len()));
        self.random.one_of(&[enactor, enactor, api, server, server, retirement])
    }

    /// As by SIGSTOP: it goes on later as if nothing had happened.
    fn someone_is_stopped(&mut self) {
        let actor = self.someone();
        let until = self.now.plus_ms(self.random.between(200, 9_000));
        self.tell(|| format!("{actor:?} is stopped until {until}"));
        self.figures.count("stops of programs");
        let who = self.who(actor);
        self.life(actor).stopped_until = until;
        if let Actor::Server(number) = actor {
            self.server_falls_silent(number);
            self.queue.push(until, Event::Resume(who));
        }
    }

    fn someone_dies(&mut self) {
        let actor = self.someone();
        self.figures.count("deaths of programs");
        let who = self.who(actor);
        if matches!(actor, Actor::Server(_)) {
            return self.server_dies(who);
        }
        if !self.life(actor).is_dead {
            self.tell(|| format!("{actor:?} dies"));
            self.life(actor).is_dead = true;
            self.after(200, 4_000, Event::Start(actor));
        }
    }

    /// A program is there again, as another start of it.
    pub(crate) fn starts(&mut self, actor: Actor) {
        let now = self.now;
        let life = self.life(actor);
        life.incarnation += 1;
        (life.is_dead, life.stopped_until) = (false, now);
        self.tell(|| format!("{actor:?} starts"));
        let who = self.who(actor);
        match actor {
            Actor::Enactor(number) => {
                self.enactors[number].begins_anew();
                self.after(0, 200, Event::Look(who, true));
            }
            Actor::Server(_) => {
                self.after(0, 200, Event::Connect(who));
                self.after(0, 400, Event::Follow(who, true));
            }
            Actor::Retirement(number) => {
                self.retiring[number].begins_anew();
                self.after(0, 2_000, Event::Retire(who));
            }
            Actor::Api(_) | Actor::Operator => {}
        }
    }

    /// A stopped server goes on.
    pub(crate) fn server_resumes(&mut self, who: crate::events::Who) {
        if self.awake(who).is_ok() {
            self.after(0, 5, Event::Connect(who));
        }
    }

    fn somebody_backs_up(&mut self) {
        if self.database.is_up {
            let backup = self.database.backup(self.now);
            self.backups.push(backup);
        }
    }

    fn database_goes_down(&mut self, restores: Option<usize>) {
        if !self.database.is_up {
            return;
        }
        self.figures.count(if restores.is_some() { "restores" } else { "restarts of the database" });
        self.tell(|| match restores {
            Some(backup) => format!("the database goes down, to be restored from backup {backup}"),
            None => "the database goes down".to_owned(),
        });
        self.database.goes_down(self.now);
        self.after(100, 2_500, Event::Up(restores));
    }

    /// The database answers again.
    pub(crate) fn database_comes_up(&mut self, restored: Option<usize>) {
        self.restores += u32::from(restored.is_some());
        self.up_since = self.now;
        let tables = restored.map(|backup| self.backups[backup].clone());
        self.database.comes_up(tables);
        self.tell(|| format!("the database is up, restored: {restored:?}"));
        for server in 0..self.servers.len() {
            let who = self.who(Actor::Server(server));
            self.after(50, 1_800, Event::Connect(who));
        }
    }

    /// All faults end: whoever is stopped goes on, nothing is lost any more, and people put right what is theirs.
    pub(crate) fn calms_down(&mut self) {
        self.tell(|| "calm".to_owned());
        self.is_calm = true;
        let now = self.now;
        for actor in self.actors() {
            let life = self.life(actor);
            if life.stopped_until > now {
                life.stopped_until = now;
                let who = self.who(actor);
                self.after(0, 5, Event::Resume(who));
            }
        }
        self.queue.push(Time(now.0 + 500), Event::Check);
    }

    fn actors(&self) -> Vec<Actor> {
        let apis = (0..self.apis.len()).map(Actor::Api);
        let enactors = (0..self.enactors.len()).map(Actor::Enactor);
        let retiring = (0..self.retiring.len()).map(Actor::Retirement);
        apis.chain(enactors).chain((0..self.servers.len()).map(Actor::Server)).chain(retiring).collect()
    }
}
