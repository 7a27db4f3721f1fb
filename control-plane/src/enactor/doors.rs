//! Carries moves and verdicts out, through the doors of the database. One that is refused never stops the others.

use super::steps::{Move, Verdict};
use crate::told;
use plan_rules::{Outcome, RingName};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgDatabaseError;
use std::collections::BTreeSet;

/// What became of some writes.
#[derive(Debug)]
pub(super) struct Written<T> {
    /// Each with how it ended.
    pub ended: Vec<(T, Outcome)>,
    /// What the database refused, and its words.
    pub refused: Vec<(T, Refusal)>,
}

impl<T> Default for Written<T> {
    fn default() -> Self {
        Self { ended: Vec::new(), refused: Vec::new() }
    }
}

/// The database refused a write that the rules had let through: the world moved on in between, or they differ.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub outcome: Outcome,
    pub code: String,
    pub message: String,
}

impl Refusal {
    /// A refusal, if the error is one; the database itself being in trouble is none.
    fn of(error: &sqlx::Error) -> Option<Self> {
        let sqlx::Error::Database(refusal) = error else { return None };
        let code = refusal.code()?.into_owned();
        let outcome = match code.as_str() {
            "HF022" => Outcome::Frozen,
            // Deadlock, lock time-out, statement time-out.
            "40P01" | "55P03" | "57014" => Outcome::LostRace,
            // Connections, resources, operators, systems, read-only standbys.
            code if ["08", "25", "53", "57", "58", "XX"].contains(&code.get(..2).unwrap_or_default()) => return None,
            _ => Outcome::Refused,
        };
        let message = refusal.try_downcast_ref::<PgDatabaseError>().map_or_else(
            || refusal.message().to_owned(),
            |refusal| {
                refusal
                    .detail()
                    .map_or_else(|| refusal.message().to_owned(), |detail| format!("{}: {detail}", refusal.message()))
            },
        );
        Some(Self { outcome, code, message })
    }
}

/// Moves heads of one ring.
///
/// # Errors
/// When the database cannot be asked.
pub(super) async fn move_heads(
    pool: &PgPool,
    ring: &RingName,
    moves: Vec<Move>,
    by: &str,
) -> Result<Written<Move>, sqlx::Error> {
    let mut written = Written::default();
    let mut batches = vec![moves];
    while let Some(batch) = batches.pop() {
        let groups: Vec<i64> = batch.iter().map(|one| one.group.number).collect();
        let generations: Vec<i64> = batch.iter().map(|one| one.version.generation.get()).collect();
        // Nothing at all where nothing is to be proved: one less to take apart.
        let expected = batch.iter().any(|one| one.expected.is_some());
        let expected: Option<Value> = expected.then(|| batch.iter().map(|one| json!(one.expected)).collect());
        let call =
            sqlx::query_file!("queries/enactment/move_heads.sql", ring.as_str(), &groups, &generations, expected, by);
        let told = move_trace::about(|| batch.iter().map(move_of_head));
        match call.fetch_one(pool).await {
            Ok(row) => {
                let ours: BTreeSet<i64> = row.moved.unwrap_or_default().into_iter().collect();
                told.each(batch.iter().map(|one| ours.contains(&one.group.number)));
                let ended = batch.into_iter().map(|one| {
                    let outcome = if ours.contains(&one.group.number) { Outcome::Enacted } else { Outcome::LostRace };
                    (one, outcome)
                });
                written.ended.extend(ended);
            }
            Err(error) => {
                told::failed(told, &error);
                split(batch, error, &mut batches, &mut written)?;
            }
        }
    }
    Ok(written)
}

/// Writes verdicts.
///
/// # Errors
/// When the database cannot be asked.
pub(super) async fn judge(pool: &PgPool, verdicts: Vec<Verdict>, by: &str) -> Result<Written<Verdict>, sqlx::Error> {
    let mut written = Written::default();
    let mut batches = vec![verdicts];
    while let Some(batch) = batches.pop() {
        let groups: Vec<i64> = batch.iter().map(|one| one.group.number).collect();
        let generations: Vec<i64> = batch.iter().map(|one| one.version.generation.get()).collect();
        let passed: Vec<bool> = batch.iter().map(|one| one.passed).collect();
        let whys: Vec<String> = batch.iter().map(|one| one.why.chars().take(1000).collect()).collect();
        let ids: Vec<Vec<u8>> = batch.iter().map(|one| one.version.id.as_bytes().to_vec()).collect();
        let call = sqlx::query_file!("queries/enactment/judge.sql", &groups, &generations, &passed, &whys, by, &ids);
        let told = move_trace::about(|| batch.iter().map(judgement));
        match call.execute(pool).await {
            Ok(_) => {
                told.done();
                written.ended.extend(batch.into_iter().map(|one| (one, Outcome::Enacted)));
            }
            Err(error) => {
                told::failed(told, &error);
                split(batch, error, &mut batches, &mut written)?;
            }
        }
    }
    Ok(written)
}

fn move_of_head(one: &Move) -> move_trace::Move {
    move_trace::Move::MoveHead {
        group: one.group.name.clone(),
        ring: one.group.ring.to_string(),
        role: one.role,
        head: one.head.map(Into::into),
        to: one.version.into(),
        by_hand: false,
    }
}

fn judgement(one: &Verdict) -> move_trace::Move {
    let (group, generation) = (one.group.name.clone(), one.version.generation.get());
    move_trace::Move::Judge { group, generation, passed: one.passed }
}

/// A batch is refused as a whole, whichever of its rows is to blame: its halves are tried, down to that row.
fn split<T>(
    mut batch: Vec<T>,
    error: sqlx::Error,
    batches: &mut Vec<Vec<T>>,
    written: &mut Written<T>,
) -> Result<(), sqlx::Error> {
    let Some(refusal) = Refusal::of(&error) else { return Err(error) };
    if batch.len() > 1 {
        let other = batch.split_off(batch.len() / 2);
        batches.extend([other, batch]);
    } else {
        written.refused.extend(batch.into_iter().map(|one| (one, refusal.clone())));
    }
    Ok(())
}
