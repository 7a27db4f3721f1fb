//! Worlds that are broken on purpose, each in one way: what a checker cannot find there, it would not find in ours.
//!
//! Holdfast keeps each promise in two unlike places, so a fault takes out all of them.

use std::fmt;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A generation takes whatever number is free, on whatever tip it was decided.
    NoCompareAndSwap,
    /// The door looks at the number alone, and not at what it was decided on: a database that was restored meanwhile may
    /// have come to the same number anew.
    ParentIgnored,
    /// A plan's conflicts are looked for above the tip that its handler has just read, and not above its own base.
    WrongBase,
    /// A head is the last move that was written, and not the greatest.
    HeadWrittenInPlace,
    /// A freeze is acknowledged although moves are in flight.
    FreezeWithoutLock,
    /// Enactors act on notices alone, and an enactor that came too late leaves it at that.
    LoserGivesUp,
    /// Later rings take the tip, whatever the first ring finds.
    VerdictIgnored,
    /// A generation has passed as soon as it was reported, and nobody waits to see whether its servers live on it.
    SoakIgnored,
    /// Guarded names are not looked at, neither by the rules nor by the database nor by the servers.
    GuardsIgnored,
    /// What a plan points to is not looked at.
    ReferencesIgnored,
    /// `reads` are not looked at: each of two plans takes away what the other leans on.
    ReadsIgnored,
    /// A server installs what is older than what it holds.
    InstallsOlder,
    /// A server asks only whether a number is greater, and not whether the history knows what it holds.
    InstallsFork,
    /// A server swaps its zones one after the other.
    InstallsByZone,
    /// A retry is a new plan.
    KeysIgnored,
    /// Nothing is read again after it failed: heads of what failed stay allowed.
    FailedIsForgotten,
    /// A floor rises above heads.
    FloorPassesHeads,
    /// A floor rises above pins.
    PinsIgnored,
    /// A floor does not wait for pins and moves that are in flight.
    FloorWithoutLock,
    /// Whatever is older than the floor is deleted, also what is still seen from there.
    RetiresByAge,
    /// Tombstones are deleted before what they ended.
    TombstonesGoFirst,
    /// A reader looks at the floor before it reads, and not afterwards.
    ReaderLooksBefore,
}

impl Fault {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::NoCompareAndSwap,
        Self::ParentIgnored,
        Self::WrongBase,
        Self::HeadWrittenInPlace,
        Self::FreezeWithoutLock,
        Self::LoserGivesUp,
        Self::VerdictIgnored,
        Self::SoakIgnored,
        Self::GuardsIgnored,
        Self::ReferencesIgnored,
        Self::ReadsIgnored,
        Self::InstallsOlder,
        Self::InstallsFork,
        Self::InstallsByZone,
        Self::KeysIgnored,
        Self::FailedIsForgotten,
        Self::FloorPassesHeads,
        Self::PinsIgnored,
        Self::FloorWithoutLock,
        Self::RetiresByAge,
        Self::TombstonesGoFirst,
        Self::ReaderLooksBefore,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoCompareAndSwap => "no-compare-and-swap",
            Self::ParentIgnored => "parent-ignored",
            Self::WrongBase => "wrong-base",
            Self::HeadWrittenInPlace => "head-written-in-place",
            Self::FreezeWithoutLock => "freeze-without-lock",
            Self::LoserGivesUp => "loser-gives-up",
            Self::VerdictIgnored => "verdict-ignored",
            Self::SoakIgnored => "soak-ignored",
            Self::GuardsIgnored => "guards-ignored",
            Self::ReferencesIgnored => "references-ignored",
            Self::ReadsIgnored => "reads-ignored",
            Self::InstallsOlder => "installs-older",
            Self::InstallsFork => "installs-fork",
            Self::InstallsByZone => "installs-by-zone",
            Self::KeysIgnored => "keys-ignored",
            Self::FailedIsForgotten => "failed-is-forgotten",
            Self::FloorPassesHeads => "floor-passes-heads",
            Self::PinsIgnored => "pins-ignored",
            Self::FloorWithoutLock => "floor-without-lock",
            Self::RetiresByAge => "retires-by-age",
            Self::TombstonesGoFirst => "tombstones-go-first",
            Self::ReaderLooksBefore => "reader-looks-before",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.as_str() == text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
