//! What happened since somebody looked last.
//!
//! Facts (acts, admissions, verdicts, moves) stay in the database, so whoever comes back with a position is told all that
//! came since, in one order. States (stops, servers, enactors) are kept nowhere when they are over: they are told as they
//! are.

mod position;

pub use position::{Position, Seen};

use super::{ReadError, Reading};
use crate::store::StoreError;
use position::{After, Pass};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgTransaction};
use std::collections::BTreeMap;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// In a word: `act`, `admitted`, `passed`, `failed`, `moved`; `stop`, `server`, `enactor`.
    pub what: String,
    /// The group that it happened to, if it was one.
    pub group: Option<String>,
    /// The rest.
    pub told: Value,
    /// Where whoever was told this is; none for a state.
    pub position: Option<Position>,
}

/// A part of what happened.
#[derive(Debug)]
pub struct Happened {
    /// In order.
    pub events: Vec<Event>,
    /// Where whoever was told them is.
    pub next: Position,
    /// Whether there is more to tell, up to the same look.
    pub more: bool,
}

/// What is told to somebody who comes with a position.
#[derive(Debug)]
pub enum Since {
    /// What happened since then.
    Happened(Happened),
    /// Nobody knows: the position is of another line of the database's history, or of its future. Go on from here.
    Unknown(Position),
}

/// A state, by a key that tells it from the others.
pub type States = BTreeMap<String, Event>;

impl Reading {
    /// Here and now.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn position(&self) -> Result<Position, StoreError> {
        look(&mut *self.snapshot().await?).await
    }

    /// Before everything that can still be read.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn beginning(&self) -> Result<Position, StoreError> {
        Ok(Position { seen: Seen::nothing(), ..self.position().await? })
    }

    /// What happened since `from`, up to `upto`, or else up to now; `limit` events at most.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn events(&self, from: &Position, upto: Option<&Position>, limit: i64) -> Result<Since, ReadError> {
        let mut snapshot = self.snapshot().await?;
        let now = look(&mut snapshot).await?;
        let known = from.seen.end() <= now.seen.end()
            && from.pass.as_ref().is_none_or(|pass| pass.upto.end() <= now.seen.end());
        if from.line != now.line || !known {
            return Ok(Since::Unknown(now));
        }
        let (upto, after) = match &from.pass {
            Some(pass) => (pass.upto.clone(), pass.after.clone()),
            None => (upto.unwrap_or(&now).seen.clone(), After::Act(0, 0)),
        };
        let span = Span { line: &from.line, seen: &from.seen, upto: &upto, limit };
        let mut events = span.read(&mut snapshot, after).await?;
        let end = Position::at(from.line.clone(), upto);
        let more = i64::try_from(events.len()).is_ok_and(|many| many >= limit);
        if !more && let Some(last) = events.last_mut() {
            last.position = Some(end.clone());
        }
        let last = events.last().and_then(|event| event.position.clone());
        Ok(Since::Happened(Happened { next: last.filter(|_| more).unwrap_or(end), events, more }))
    }

    /// Stops in force, servers and enactors, as they are.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn states_now(&self) -> Result<States, StoreError> {
        let rows = sqlx::query_file!("queries/events/states.sql").fetch_all(&self.pool).await?;
        let state = |what, group, told| Event { what, group, told, position: None };
        Ok(rows.into_iter().map(|row| (row.key, state(row.what, row.group_name, row.told))).collect())
    }
}

async fn look(connection: &mut PgConnection) -> Result<Position, StoreError> {
    let row = sqlx::query_file!("queries/events/look.sql").fetch_one(connection).await?;
    let seen = Seen::parse(&row.seen).ok_or_else(|| StoreError::Damaged(format!("the snapshot {}", row.seen)))?;
    Ok(Position::at(row.line, seen))
}

/// From one look to a later one.
struct Span<'a> {
    line: &'a str,
    seen: &'a Seen,
    upto: &'a Seen,
    limit: i64,
}

impl Span<'_> {
    /// All kinds, one after the other, from after a place on.
    async fn read(&self, snapshot: &mut PgTransaction<'static>, mut after: After) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        loop {
            let left = self.limit.saturating_sub(i64::try_from(events.len()).unwrap_or(i64::MAX));
            if left == 0 {
                return Ok(events);
            }
            let next = match after {
                After::Act(xact, number) => {
                    events.extend(self.acts(snapshot, (xact, number), left).await?);
                    After::Admitted(0, 0)
                }
                After::Admitted(group, generation) => {
                    events.extend(self.admitted(snapshot, (group, generation), left).await?);
                    After::Verdict(0, 0, 0, false)
                }
                After::Verdict(xact, group, generation, passed) => {
                    events.extend(self.verdicts(snapshot, (xact, group, generation, passed), left).await?);
                    After::Moved(0, String::new(), 0)
                }
                After::Moved(group, ring, generation) => {
                    events.extend(self.moved(snapshot, (group, &ring, generation), left).await?);
                    return Ok(events);
                }
            };
            after = next;
        }
    }

    fn event(&self, what: &str, group: Option<String>, told: Value, after: After) -> Event {
        let pass = Some(Pass { upto: self.upto.clone(), after });
        let position = Some(Position { line: self.line.to_owned(), seen: self.seen.clone(), pass });
        Event { what: what.to_owned(), group, told, position }
    }

    async fn acts(
        &self,
        connection: &mut PgConnection,
        after: (u64, i64),
        limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query_file!(
            "queries/events/acts.sql",
            self.seen.as_str(),
            self.upto.as_str(),
            signed(after.0),
            after.1,
            limit
        )
        .fetch_all(connection)
        .await?;
        let events = rows.into_iter().map(|row| {
            let told = json!({"number": row.audit, "at": row.at, "by": row.by, "via": if row.by_token { "token" } else { "database-login" },
                "act": row.act, "group": row.group_name, "detail": row.detail});
            self.event("act", row.group_name, told, After::Act(unsigned(row.xact), row.audit))
        });
        Ok(events.collect())
    }

    async fn admitted(
        &self,
        connection: &mut PgConnection,
        after: (i64, i64),
        limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query_file!(
            "queries/events/admitted.sql",
            self.seen.as_str(),
            self.upto.as_str(),
            after.0,
            after.1,
            limit
        )
        .fetch_all(connection)
        .await?;
        let events = rows.into_iter().map(|row| {
            let told = json!({"group": row.group_name, "generation": row.generation, "id": hex::encode(row.id), "at": row.at, "by": row.by,
                "reason": row.reason, "acknowledged": row.acknowledged, "kind": row.kind, "rolled_back_to": row.rolled_back_to, "base": row.base,
                "changes": {"added": row.added, "replaced": row.replaced, "deleted": row.deleted}});
            self.event("admitted", Some(row.group_name), told, After::Admitted(row.zone_group, row.generation))
        });
        Ok(events.collect())
    }

    async fn verdicts(
        &self,
        connection: &mut PgConnection,
        (xact, group, generation, passed): (u64, i64, i64, bool),
        limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let (seen, upto) = (self.seen.as_str(), self.upto.as_str());
        let rows = sqlx::query_file!(
            "queries/events/verdicts.sql",
            seen,
            upto,
            signed(xact),
            group,
            generation,
            passed,
            limit
        )
        .fetch_all(connection)
        .await?;
        let events = rows.into_iter().map(|row| {
            let what = if row.passed { "passed" } else { "failed" };
            let told = json!({"group": row.group_name, "generation": row.generation, "at": row.at, "by": row.by, "why": row.why});
            let after = After::Verdict(unsigned(row.xact), row.zone_group, row.generation, row.passed);
            self.event(what, Some(row.group_name), told, after)
        });
        Ok(events.collect())
    }

    async fn moved(
        &self,
        connection: &mut PgConnection,
        (group, ring, generation): (i64, &str, i64),
        limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let (seen, upto) = (self.seen.as_str(), self.upto.as_str());
        let rows = sqlx::query_file!("queries/events/moved.sql", seen, upto, group, ring, generation, limit)
            .fetch_all(connection)
            .await?;
        let events = rows.into_iter().map(|row| {
            let told = json!({"group": row.group_name, "ring": row.ring, "generation": row.generation, "id": hex::encode(row.id), "at": row.at, "by": row.by});
            self.event("moved", Some(row.group_name), told, After::Moved(row.zone_group, row.ring, row.generation))
        });
        Ok(events.collect())
    }
}

/// A transaction's number as Postgres's own type of numbers has it.
fn signed(xact: u64) -> i64 {
    i64::try_from(xact).unwrap_or(i64::MAX)
}

fn unsigned(xact: i64) -> u64 {
    u64::try_from(xact).unwrap_or(0)
}
