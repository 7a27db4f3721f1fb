//! Admissions carried out by an API: two reads, a decision by the real rules, a write under its premise, and again when
//! the race was lost. Between any two of them the API may be stopped, or killed for good.

use crate::database::{Admit, Answer, Staged, Work, tip_of};
use crate::events::{Actor, Event, Told, Who};
use crate::fault::Fault;
use crate::intent::{Intent, Wish};
use crate::world::World;
use plan_rules::{
    Admission, Author, Decision, History, Refusal, Role, RollbackRequest, Scope, admit, admit_on_newer_tip, raise,
    rollback,
};
use std::rc::Rc;
use zone_model::{Base, Generation, Plan};

/// How often a plan is decided again before its author is told that others were first.
const ROUNDS_MAX: u32 = 12;

/// A plan on its way through an API.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) intent: Rc<Intent>,
    client: Option<usize>,
    rounds: u32,
    is_large: bool,
    /// The greatest generation that servers were known to serve when it was read.
    pub(crate) reported: Option<Generation>,
    /// Whether it was in the history when the door refused it.
    stood: bool,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// Reads what the plan itself asks for.
    Read,
    /// A rollback: reads what stood at the generation that it goes back to.
    ReadFormers,
    /// Reads what the decision leans on, and decides.
    Decide(Box<(Plan, History)>),
    /// Its number is being drawn.
    Staged(Box<(Plan, Admission)>),
    /// It is at the door; the number it was staged under.
    AtTheDoor(Option<Box<(Plan, Admission, u64)>>),
    /// Lost a race: reads what is new.
    ReadNews(Box<(Plan, Admission, u64)>),
    /// Over.
    Done,
}

impl World {
    /// Posts a plan to an API, where it arrives within so many milliseconds.
    pub(crate) fn new_task(&mut self, intent: Rc<Intent>, client: Option<usize>, api: usize, within_ms: u64) {
        let is_large = self.random.percent(25);
        self.tasks.push(Task { intent, client, rounds: 0, is_large, reported: None, stood: false, step: Step::Read });
        let who = self.who(Actor::Api(api));
        self.after(0, within_ms, Event::Task(self.tasks.len() - 1, who));
    }

    /// The next step of an admission.
    pub(crate) fn task_steps(&mut self, task: usize, who: Who) {
        if !self.may(who, || Event::Task(task, who)) {
            return;
        }
        if !self.database.is_up {
            return self.task_ends(task, Told::Silence);
        }
        match std::mem::replace(&mut self.tasks[task].step, Step::Done) {
            Step::Read => self.task_reads(task, who),
            Step::ReadFormers => self.task_reads_formers(task, who),
            Step::Decide(read) => self.task_decides(task, who, *read),
            Step::ReadNews(lost) => self.task_reads_news(task, who, *lost),
            other => self.tasks[task].step = other,
        }
    }

    fn task_reads(&mut self, task: usize, who: Who) {
        let intent = self.tasks[task].intent.clone();
        let group = intent.group;
        self.tasks[task].rounds += 1;
        if self.tasks[task].rounds > ROUNDS_MAX {
            return self.task_ends(task, Told::Silence);
        }
        if self.is_known_by_its_key(task) {
            return self.task_ends(task, Told::Admitted);
        }
        let Some(tip) = self.database.tables.groups[group].tip().map(|tip| tip_of(tip)) else {
            return self.task_is_refused_now(task);
        };
        let words = self.words.clone();
        let words = &words.groups[group];
        let plan = match &intent.wish {
            Wish::Raise => {
                let (zones, reported) = (self.database.zones_of(group), self.database.greatest_reported(group));
                self.tasks[task].reported = reported;
                return match raise(tip, reported, &zones) {
                    Ok(admission) => self.task_writes(task, who, None, admission),
                    Err(_) => self.task_is_refused_now(task),
                };
            }
            Wish::Rollback(to, _) => {
                if *to < self.database.tables.groups[group].floor {
                    self.figures.count("rollbacks to what was retired");
                    return self.task_is_refused_now(task);
                }
                self.tasks[task].step = Step::ReadFormers;
                let ms = self.message_ms();
                return self.after(ms, ms, Event::Task(task, who));
            }
            _ => intent.plan(words),
        };
        match plan {
            Some(plan) => self.task_reads_history(task, who, plan),
            None => self.task_is_refused_now(task),
        }
    }

    fn task_reads_formers(&mut self, task: usize, who: Who) {
        let intent = self.tasks[task].intent.clone();
        let Wish::Rollback(to, through_freeze) = intent.wish else { return };
        let Some(tip) = self.database.tables.groups[intent.group].tip().map(|tip| tip_of(tip)) else {
            return self.task_is_refused_now(task);
        };
        let request = RollbackRequest {
            group: self.words.groups[intent.group].name.clone(),
            to,
            base: intent.base.map_or(Base::NOTHING, |base| Base::from(base.generation)),
            base_id: intent.base.map(|base| base.id),
            reason: "tried".to_owned(),
            through_freeze,
        };
        match rollback(&request, tip, self.database.formers(intent.group, to)) {
            Ok(plan) => self.task_reads_history(task, who, plan),
            Err(_) => self.task_is_refused_now(task),
        }
    }

    fn task_reads_history(&mut self, task: usize, who: Who, mut plan: Plan) {
        let group = self.tasks[task].intent.group;
        let tip = self.database.tables.groups[group].tip();
        if let Some(tip) = tip.filter(|_| self.has(Fault::WrongBase)) {
            (plan.base, plan.base_id) = (Base::from(tip.version.generation), None);
        }
        if self.has(Fault::ReadsIgnored) {
            plan.reads.clear();
        }
        if self.has(Fault::ReferencesIgnored) {
            plan.acknowledged.insert(zone_model::Guard::References, "never looked at".to_owned());
        }
        let history = self.database.footprint_of(group, &plan);
        self.tasks[task].step = Step::Decide(Box::new((plan, history)));
        let ms = self.message_ms();
        self.after(ms, ms, Event::Task(task, who));
    }

    fn task_decides(&mut self, task: usize, who: Who, (plan, mut history): (Plan, History)) {
        let intent = self.tasks[task].intent.clone();
        self.database.lean(intent.group, &plan, &mut history);
        if self.has(Fault::GuardsIgnored) {
            history.zones.values_mut().for_each(|of_zone| of_zone.guarded.clear());
        }
        let is_operator = intent.by_operator || self.has(Fault::ReferencesIgnored);
        let role = if is_operator { Role::Operator } else { Role::Planner };
        let author = Author { role, scope: Scope::default() };
        match admit(&plan, &author, &history) {
            Ok(Decision::Admit(admission)) if self.tasks[task].is_large => {
                let work = Work::Stage(Staged::of(intent.group, &admission));
                self.tasks[task].step = Step::Staged(Box::new((plan, *admission)));
                self.send(who, task, work);
            }
            Ok(Decision::Admit(admission)) => self.task_writes(task, who, None, *admission),
            Ok(Decision::NoOp { .. }) => {
                self.figures.count("no-ops");
                self.task_ends(task, Told::Admitted);
            }
            Err(refusal) => self.task_is_refused(task, &refusal),
        }
    }

    fn is_known_by_its_key(&mut self, task: usize) -> bool {
        let intent = &self.tasks[task].intent;
        let keys = &self.database.tables.groups[intent.group].keys;
        let known = intent.keyed && keys.iter().any(|(key, _)| *key == intent.tag) && !self.has(Fault::KeysIgnored);
        if known {
            self.figures.count("repeated by their key");
        }
        known
    }

    fn task_writes(&mut self, task: usize, who: Who, staged: Option<(Plan, u64)>, admission: Admission) {
        let intent = self.tasks[task].intent.clone();
        let words = self.words.clone();
        let key = intent.keyed.then_some(intent.tag);
        let number = staged.as_ref().map(|(_, number)| *number);
        let work = Admit::new(&words.groups[intent.group], intent.group, admission.clone(), key, number);
        let staged = staged.map(|(plan, number)| Box::new((plan, admission, number)));
        self.tasks[task].step = Step::AtTheDoor(staged);
        self.send(who, task, Work::Admit(Rc::new(work)));
    }

    /// The number was taken: only what is new is judged, as for plans that are too large to be decided again.
    fn task_reads_news(&mut self, task: usize, who: Who, (plan, admission, number): (Plan, Admission, u64)) {
        let group = self.tasks[task].intent.group;
        self.tasks[task].rounds += 1;
        let judged_on = Base::new(admission.version.generation.get() - 1).unwrap_or(Base::NOTHING);
        let Some(news) = self.database.news_for(group, &plan, judged_on) else {
            return self.task_again(task, who);
        };
        match admit_on_newer_tip(admission, &news) {
            Ok(Some(admission)) if self.tasks[task].rounds <= ROUNDS_MAX => {
                self.figures.count("moved to a newer tip");
                self.task_writes(task, who, Some((plan, number)), admission);
            }
            Ok(_) => self.task_again(task, who),
            Err(refusal) => self.task_is_refused(task, &refusal),
        }
    }

    fn task_again(&mut self, task: usize, who: Who) {
        self.tasks[task].step = Step::Read;
        self.after(0, 20, Event::Task(task, who));
    }

    /// The database has answered.
    pub(crate) fn task_is_answered(&mut self, task: usize, who: Who, answer: Answer) {
        match (answer, std::mem::replace(&mut self.tasks[task].step, Step::Done)) {
            (Answer::Staged(number), Step::Staged(decided)) => {
                let (plan, admission) = *decided;
                self.task_writes(task, who, Some((plan, number)), admission);
            }
            (Answer::Admitted(_), Step::AtTheDoor(_)) => self.task_ends(task, Told::Admitted),
            (Answer::KeyKnown(_), Step::AtTheDoor(_)) => {
                self.figures.count("repeated by their key");
                self.task_ends(task, Told::Admitted);
            }
            (Answer::LostRace, Step::AtTheDoor(staged)) => {
                self.figures.count("races lost by plans");
                match staged {
                    Some(staged) => {
                        self.tasks[task].step = Step::ReadNews(staged);
                        self.after(0, 20, Event::Task(task, who));
                    }
                    None => self.task_again(task, who),
                }
            }
            // Overtaken by what was committed between its read and its write.
            (
                Answer::Refused(
                    "HF004" | "HF005" | "HF006" | "HF015" | "HF018" | "HF031" | "HF032" | "HF038" | "55P03",
                ),
                Step::AtTheDoor(_),
            ) => {
                self.task_again(task, who);
            }
            (Answer::Refused("HF005"), Step::Staged(_)) => self.task_again(task, who),
            (Answer::Refused(_), Step::AtTheDoor(_) | Step::Staged(_)) => {
                let stood = self.tasks[task].stood;
                self.task_ends(task, Told::Refused(stood));
            }
            (Answer::Lost, Step::AtTheDoor(_) | Step::Staged(_)) => self.task_ends(task, Told::Silence),
            (_, step) => self.tasks[task].step = step,
        }
    }

    fn task_is_refused(&mut self, task: usize, refusal: &Refusal) {
        let (what, tag) = (refused_as(refusal), self.tasks[task].intent.tag);
        self.figures.count(what);
        self.tell(|| format!("plan {tag}: {what} {}", why(refusal)));
        // Perhaps it is stale by its own first try, which another API has carried out meanwhile.
        if self.is_known_by_its_key(task) {
            return self.task_ends(task, Told::Admitted);
        }
        self.task_is_refused_now(task);
    }

    fn task_is_refused_now(&mut self, task: usize) {
        let stood = self.stands(&self.tasks[task].intent);
        self.task_ends(task, Told::Refused(stood));
    }

    /// The door has refused a call: what is true then is what whoever asked is told, whenever that is.
    pub(crate) fn task_is_refused_at_the_door(&mut self, task: usize) {
        self.tasks[task].stood = self.stands(&self.tasks[task].intent);
    }

    fn task_ends(&mut self, task: usize, told: Told) {
        self.tasks[task].step = Step::Done;
        let (client, tag) = (self.tasks[task].client, self.tasks[task].intent.tag);
        if told != Told::Silence {
            self.tell_client(client, tag, told);
        }
    }
}

fn refused_as(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Forbidden(_) => "plans forbidden",
        Refusal::UnknownBase { .. } => "plans of an unknown base",
        Refusal::Retired { .. } => "rollbacks to what is retired meanwhile",
        Refusal::StaleBase { .. } => "stale plans",
        Refusal::Invalid(_) => "invalid plans",
        Refusal::Guarded(_) => "plans refused by guards",
        Refusal::HistoryFull => "plans beyond the last number",
    }
}

fn why(refusal: &Refusal) -> String {
    match refusal {
        Refusal::UnknownBase { why, .. } => why.clone(),
        Refusal::StaleBase { conflicts, .. } => {
            conflicts.iter().map(|one| format!("{} changed in {}; ", one.name, one.changed_in)).collect()
        }
        Refusal::Invalid(violations) => violations.iter().map(|one| one.message.clone()).collect(),
        Refusal::Guarded(objections) => objections.iter().map(|one| one.message.clone()).collect(),
        other => format!("{other:?}"),
    }
}
