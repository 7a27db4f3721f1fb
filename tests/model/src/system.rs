//! The whole: the database, and everybody who works on it. This is what stateright walks.

use crate::act::{Act, possible, step};
use crate::client::Client;
use crate::enactor::Enactor;
use crate::numbers::{Number, Numbers};
use crate::promises;
use crate::server::Server;
use crate::setup::{Guard, Setup};
use crate::wish::Wish;
use crate::world::World;
use stateright::{Model, Property};

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct System {
    /// The database.
    pub world: World,
    /// One for each wish.
    pub clients: Vec<Client>,
    /// Equal, and in no order.
    pub enactors: Vec<Enactor>,
    /// One for each ring.
    pub servers: Vec<Server>,
    /// The floor that retirement found, and has not raised yet.
    pub floor_chosen: Option<Number>,
    /// How many freezes there were.
    pub freezes: u8,
    /// Whether a head moved although a freeze was acknowledged.
    pub moved_while_frozen: bool,
}

impl System {
    /// A group of two zones with its guards, in force everywhere.
    #[must_use]
    pub fn begin(setup: &Setup) -> Self {
        let mut world = World {
            generations: Vec::new(),
            retired: Default::default(),
            forgotten: Numbers::default(),
            numbers_drawn: 0,
            floor: 1,
            moves: vec![Numbers::default(); setup.rings],
            overwritten: None,
            passed: Numbers::default(),
            passed_long_ago: Numbers::default(),
            failed: Numbers::default(),
            frozen: false,
            pinned: Numbers::default(),
        };
        let sound = Setup { without: &[], ..setup.clone() };
        for wish in [Wish::Begin, Wish::Guard] {
            Client::default().post(&sound, &mut world, wish);
        }
        let tip = world.tip();
        assert_eq!(tip, 2, "the group was not let in");
        world.moves.fill(Numbers::of(&[tip]));
        (world.passed, world.passed_long_ago) = (Numbers::of(&[tip]), Numbers::of(&[tip]));
        if setup.lacks(Guard::GreatestMove) || setup.lacks(Guard::WholeGroups) {
            world.overwritten = Some(vec![[tip; 2]; setup.rings]);
        }
        Self {
            world,
            clients: vec![Client::default(); setup.wishes.len()],
            enactors: vec![Enactor::default(); setup.enactors],
            servers: vec![Server::at(tip); if setup.servers { setup.rings } else { 0 }],
            floor_chosen: None,
            freezes: 0,
            moved_while_frozen: false,
        }
    }

    /// What is after `act`.
    #[must_use]
    pub fn after(&self, setup: &Setup, act: Act) -> Self {
        let mut next = self.clone();
        step(setup, &mut next, act);
        next
    }
}

impl Model for Setup {
    type State = System;
    type Action = Act;

    fn init_states(&self) -> Vec<System> {
        vec![System::begin(self)]
    }

    fn actions(&self, system: &System, acts: &mut Vec<Act>) {
        possible(self, system, acts);
    }

    fn next_state(&self, system: &System, act: Act) -> Option<System> {
        let next = system.after(self, act);
        (next != *system).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises::all(self)
    }
}
