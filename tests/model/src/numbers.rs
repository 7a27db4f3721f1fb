//! Generations as the model counts them: small numbers, and sets of them.

use std::fmt;
use zone_model::Generation;

/// The number of a generation, small enough for a set in one word.
pub type Number = u8;

/// The generation of that number.
#[must_use]
pub fn generation(number: Number) -> Generation {
    Generation::new(i64::from(number)).expect("generations begin at 1")
}

/// The number of that generation.
#[must_use]
pub fn number(generation: Generation) -> Number {
    u8::try_from(generation.get()).expect("the model has few generations")
}

/// A set of generations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Numbers(u32);

impl Numbers {
    /// These.
    #[must_use]
    pub fn of(numbers: &[Number]) -> Self {
        numbers.iter().fold(Self::default(), |mut all, one| {
            all.insert(*one);
            all
        })
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn contains(self, number: Number) -> bool {
        self.0 >> number & 1 == 1
    }

    /// Adds one; false when it is there already.
    pub const fn insert(&mut self, number: Number) -> bool {
        let new = !self.contains(number);
        self.0 |= 1 << number;
        new
    }

    /// Takes one away.
    pub const fn remove(&mut self, number: Number) {
        self.0 &= !(1 << number);
    }

    /// The greatest.
    #[must_use]
    pub fn greatest(self) -> Option<Number> {
        self.iter().last()
    }

    /// The least.
    #[must_use]
    pub fn least(self) -> Option<Number> {
        self.iter().next()
    }

    /// All of them, the least first.
    pub fn iter(self) -> impl Iterator<Item = Number> {
        (0..32).filter(move |number| self.contains(*number))
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.iter().map(|number| number.to_string()).collect();
        write!(f, "{{{}}}", all.join(" "))
    }
}
