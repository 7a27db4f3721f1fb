//! The guards by name. What each demands is for the rules to say.

/// A rule that a plan's result must satisfy. Guards judge plans, never moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guard {
    /// A serial of 2^31 or more, which some clients read as negative.
    SerialRange,
    /// A zone with signatures at its apex, for which no proofs of absence are given yet.
    SignedZone,
    /// NS and SOA of a zone's apex change only with a word.
    Apex,
    /// The targets of CNAME, NS, MX and SRV inside the group exist.
    References,
    /// How many record sets of a zone one plan may delete.
    DeletedShare,
    /// How many record sets of a zone one plan may change.
    ChangedShare,
    /// How many record sets of a group planners may delete within an hour.
    Velocity,
    /// Guarded record sets stand, with their minimum of records.
    GuardedNames,
    /// A zone takes no names from other groups: not below their zones without a delegation, nor over what they guard.
    OtherGroups,
    /// The group is closed to planners.
    Closed,
}

impl Guard {
    /// All guards.
    pub const ALL: &[Self] = &[
        Self::SerialRange,
        Self::SignedZone,
        Self::Apex,
        Self::References,
        Self::DeletedShare,
        Self::ChangedShare,
        Self::Velocity,
        Self::GuardedNames,
        Self::OtherGroups,
        Self::Closed,
    ];

    /// The name in plans and problems.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SerialRange => "serial-range",
            Self::SignedZone => "signed-zone",
            Self::Apex => "apex",
            Self::References => "references",
            Self::DeletedShare => "deleted-share",
            Self::ChangedShare => "changed-share",
            Self::Velocity => "velocity",
            Self::GuardedNames => "guarded-names",
            Self::OtherGroups => "other-groups",
            Self::Closed => "closed",
        }
    }

    /// Whether a plan may say, with a reason, that the guard does not apply to it.
    #[must_use]
    pub const fn may_be_acknowledged(self) -> bool {
        !matches!(self, Self::GuardedNames | Self::OtherGroups | Self::Closed)
    }

    /// Reads a guard's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|guard| guard.as_str() == text)
    }
}
