//! Who may do what: roles and scopes of tokens.

use std::fmt;
use zone_model::{GroupName, Name, Plan, PlanKind, ZoneChange};

/// What a token is for; each role may do all that the earlier ones may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Reader,
    /// Admits plans within its scope.
    Planner,
    /// Also begins groups and zones, and acknowledges guards.
    Operator,
    /// Also makes and ends tokens.
    Admin,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: &[Self] = &[Self::Reader, Self::Planner, Self::Operator, Self::Admin];

    /// The name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Planner => "planner",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// Reads a role's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a token's plans may reach; no list means everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The groups.
    pub groups: Option<Vec<GroupName>>,
    /// The names that are changed stand at or below one of these.
    pub suffixes: Option<Vec<Name>>,
}

/// Whoever posts a plan.
#[derive(Clone, Debug)]
pub struct Author {
    /// What they are.
    pub role: Role,
    /// Where they may.
    pub scope: Scope,
}

/// Not allowed, and what it would take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Forbidden(pub String);

impl Author {
    /// Whether this plan is within the author's role and scope, as far as the plan alone tells.
    ///
    /// # Errors
    /// What is out of bounds.
    pub fn may_post(&self, plan: &Plan) -> Result<(), Forbidden> {
        self.needs(Role::Planner, "admitting a plan")?;
        if !plan.acknowledged.is_empty() {
            self.needs(Role::Operator, "acknowledging a guard")?;
        }
        if let Some(groups) = &self.scope.groups
            && !groups.contains(&plan.group)
        {
            return Err(Forbidden(format!("this token's scope does not include the group {}", plan.group)));
        }
        if let Some(zone) =
            plan.zones.iter().find_map(|(zone, change)| matches!(change, ZoneChange::End).then_some(zone))
        {
            self.needs(Role::Operator, &format!("ending the zone {zone}"))?;
        }
        if !plan.settings.is_empty() {
            self.needs(Role::Operator, "changing a group's settings")?;
        }
        if plan.kind != PlanKind::Change {
            self.needs(Role::Operator, &format!("a plan of the kind {}", plan.kind.as_str()))?;
        }
        let unguards = |change: &ZoneChange| matches!(change, ZoneChange::Edit(edit) if !edit.unguards().is_empty() || !edit.guards().is_empty());
        if plan.zones.values().any(unguards) {
            self.needs(Role::Operator, "guarding a name, or ending a guard")?;
        }
        let Some(suffixes) = &self.scope.suffixes else { return Ok(()) };
        if !plan.settings.is_empty() {
            return Err(Forbidden("this token's scope is some names, and settings are the whole group's".to_owned()));
        }
        let reaches = |name: &Name| suffixes.iter().any(|suffix| name.is_within(suffix));
        for (zone, change) in &plan.zones {
            let outside = match change {
                // Replacing a zone changes everything in it, what is not mentioned included.
                ZoneChange::Replace(_) | ZoneChange::End => (!reaches(zone)).then(|| zone.clone()),
                ZoneChange::Edit(edit) => edit.owners().into_iter().find(|owner| !reaches(owner)),
            };
            if let Some(name) = outside {
                return Err(Forbidden(format!("this token's scope does not include the name {name}")));
            }
        }
        Ok(())
    }

    /// Whether the author may do an operator's act on a group, or on every group: `act` says which, as in "a freeze".
    ///
    /// # Errors
    /// What is out of bounds.
    pub fn may_act_on(&self, group: Option<&GroupName>, act: &str) -> Result<(), Forbidden> {
        self.needs(Role::Operator, act)?;
        if self.scope.suffixes.is_some() {
            return Err(Forbidden(format!("this token's scope is some names, and {act} is for whole groups")));
        }
        match (&self.scope.groups, group) {
            (None, _) => Ok(()),
            (Some(_), None) => {
                Err(Forbidden(format!("this token's scope is some groups, and {act} is for all of them")))
            }
            (Some(groups), Some(group)) if groups.contains(group) => Ok(()),
            (Some(_), Some(group)) => Err(Forbidden(format!("this token's scope does not include the group {group}"))),
        }
    }

    /// Whether the role is at least `role`.
    ///
    /// # Errors
    /// When it is less; `act` says for what, as in "admitting a plan".
    pub fn needs(&self, role: Role, act: &str) -> Result<(), Forbidden> {
        if self.role >= role {
            return Ok(());
        }
        Err(Forbidden(format!("{act} needs the role {role}, and this token is a {}'s", self.role)))
    }
}
