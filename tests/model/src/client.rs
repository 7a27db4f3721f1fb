//! A client, and the API's handler that works for it: the real `admit`, with a pause wherever others may come between.

use crate::numbers::Number;
use crate::reading::{history, news, plan, tip};
use crate::setup::{Guard, Setup};
use crate::wish::Wish;
use crate::world::{Judged, Row, World, Written, digest_after};
use plan_rules::{Decision, Refusal, admit, admit_on_newer_tip};
use std::sync::Arc;
use zone_model::{Base, Id};

/// Where a client is with its wish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Client {
    /// It has not begun.
    #[default]
    Wishing,
    /// Its author has read that generation.
    Read(Number),
    /// The plan has drawn its number.
    Drawn(Posted),
    /// The rules let it in, on that tip.
    Decided(Posted, Number, Judged),
    /// Somebody else has taken the number meanwhile.
    Lost(Posted, Number, Judged),
    /// It was told.
    Told(Told),
}

/// A plan that has its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Posted {
    /// What its author had read.
    pub read: Number,
    /// Its number.
    pub plan: u8,
    /// Whether it was decided again after a lost race.
    pub tried_again: bool,
}

/// What a client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Told {
    /// The generation.
    Admitted(Number),
    /// All was as wished already.
    NoOp,
    /// Something in its footprint changed after its base.
    Stale,
    /// Guards object, or the group is closed.
    Guarded,
    /// Another refusal of the rules.
    Refused,
    /// The rules let it in on the very tip on which the database refused it: the two disagree.
    Disagreed,
}

impl Client {
    /// The author reads the tip.
    pub fn read(&mut self, world: &World) {
        *self = Self::Read(world.tip());
    }

    /// The plan is posted, and draws its number.
    pub fn draw(&mut self, world: &mut World) {
        if let Self::Read(read) = *self {
            *self = Self::Drawn(Posted { read, plan: world.draw_number(), tried_again: false });
        }
    }

    /// The handler reads the history, and asks the rules. After a lost race it asks about what is new alone.
    pub fn decide(&mut self, setup: &Setup, world: &World, wish: Wish) {
        let again = match self {
            Self::Lost(_, on, judged) => admit_on_newer_tip((*judged.0).clone(), &news(world, &judged.0, *on)),
            _ => Ok(None),
        };
        let (Self::Drawn(posted) | Self::Lost(posted, ..)) = *self else { return };
        let posted = Posted { tried_again: matches!(self, Self::Lost(..)), ..posted };
        let decision = match again {
            Ok(Some(admission)) => Ok(Decision::Admit(Box::new(admission))),
            Err(refusal) => Err(refusal),
            Ok(None) => {
                let base = if setup.lacks(Guard::BaseOfThePlan) { world.tip() } else { posted.read };
                match plan(world, wish, base) {
                    Some(plan) => admit(&plan, &wish.author(), &history(world, &plan)),
                    None => return *self = Self::Told(Told::Refused),
                }
            }
        };
        *self = match decision {
            Ok(Decision::Admit(admission)) => Self::Decided(posted, world.tip(), Judged(Arc::new(*admission))),
            Ok(Decision::NoOp { .. }) => Self::Told(Told::NoOp),
            Err(Refusal::StaleBase { .. } | Refusal::UnknownBase { .. }) => Self::Told(Told::Stale),
            Err(Refusal::Guarded(_)) => Self::Told(Told::Guarded),
            Err(_) => Self::Told(Told::Refused),
        };
    }

    /// The handler writes the generation, under the number after the tip that was decided on.
    pub fn write(&mut self, setup: &Setup, world: &mut World, wish: Wish) {
        let Self::Decided(posted, on, judged) = self.clone() else { return };
        let base = Number::try_from(judged.0.base.get()).unwrap_or(posted.read);
        let mut row = Row { wish, plan: posted.plan, base, read: posted.read, judged: judged.clone() };
        if setup.lacks(Guard::TipUnchanged) {
            row = on_any_tip(row, world);
        }
        *self = match world.admit(row) {
            Written::Ours => Self::Told(Told::Admitted(world.tip())),
            Written::Theirs => Self::Lost(posted, on, judged),
            Written::Refused if world.tip() == on && world.floor <= base => Self::Told(Told::Disagreed),
            Written::Refused => Self::Told(Told::Refused),
        };
    }

    /// All of it at once.
    pub fn post(&mut self, setup: &Setup, world: &mut World, wish: Wish) {
        self.read(world);
        self.draw(world);
        self.decide(setup, world, wish);
        self.write(setup, world, wish);
    }
}

/// The same changes as the next generation, whatever they were decided on: what happens without the compare-and-swap.
fn on_any_tip(row: Row, world: &World) -> Row {
    let tip = tip(world);
    let mut admission = (*row.judged.0).clone();
    admission.base = Base::from(tip.version.generation);
    admission.version.generation = tip.version.generation.next().expect("numbers are left");
    admission.digest = digest_after(world, &admission);
    admission.version.id = Id::of(&tip.version.id, admission.version.generation, &admission.digest);
    Row { base: world.tip(), judged: Judged(Arc::new(admission)), ..row }
}
