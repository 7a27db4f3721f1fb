//! Rolling back without the API: the same rules decide, the same door admits, and the database judges it all anew.

use super::{BreakGlass, BreakGlassError};
use crate::admission::{Admissions, Admitted, Submission};
use crate::notices::{ADMITTED, Notices};
use crate::store::{HistoryStore, StoreError};
use plan_rules::{Author, Former, Role, RollbackRequest, Scope, Tip};
use tokio_util::sync::CancellationToken;
use zone_model::{Base, Content, Digest, Generation, GroupName, Key, Name};

/// A rollback that an operator asks for.
#[derive(Clone, Debug)]
pub struct Rollback {
    /// The group.
    pub group: GroupName,
    /// The generation whose answers are wished back.
    pub to: i64,
    /// What the operator had read; the tip, if they do not say.
    pub base: Option<i64>,
    /// Why.
    pub reason: String,
    /// Whether its generation may be enacted through a freeze, and closes the group to planners.
    pub through_freeze: bool,
}

impl BreakGlass {
    /// Admits a plan that restores what was answered at an earlier generation.
    ///
    /// # Errors
    /// When there is no such generation (any more), or the plan is refused, by the rules or by the database.
    pub async fn roll_back(&self, wished: &Rollback) -> Result<Admitted, BreakGlassError> {
        let number = self.group(wished.group.as_str()).await?;
        let reading = self.reading();
        let found = reading.group(&wished.group).await?;
        found.generation(Some(wished.to))?;
        // An epoch skips numbers, so to be between floor and tip is not enough.
        let to = reading.plan(&found, wished.to).await?.version.generation;
        let unclear = || BreakGlassError::Unknown(format!("base {}", wished.base.unwrap_or_default()));
        let request = RollbackRequest {
            group: wished.group.clone(),
            to,
            base: Base::new(wished.base.unwrap_or(found.tip.generation.get())).ok_or_else(unclear)?,
            base_id: None,
            reason: wished.reason.clone(),
            through_freeze: wished.through_freeze,
        };
        let formers = self.formers(number, to).await?;
        // Of the tip only the number counts here: whether there is a generation to go back to.
        let tip = Tip { version: found.tip, digest: found.digest, answers: Digest::EMPTY, deletes_spent: 0 };
        let plan = plan_rules::rollback(&request, tip, formers).map_err(crate::admission::AdmissionError::Refused)?;

        let token = sqlx::query_file_scalar!("queries/breakglass/own_token.sql").fetch_one(&self.pool).await?;
        let author = Author { role: Role::Operator, scope: Scope::default() };
        let notices = Notices::start(self.pool.clone(), ADMITTED, CancellationToken::new());
        let admissions = Admissions::new(HistoryStore::new(self.pool.clone()), notices);
        let submission = Submission { plan, token, author, idempotency: None, dry_run: false };
        let admitted = admissions.admit(submission).await?;
        if let Admitted::New(plan) = &admitted {
            let (generation, by) = (plan.version.generation.get(), self.by());
            let kept = sqlx::query_file!(
                "queries/breakglass/keep_who_rolled_back.sql",
                by,
                number,
                wished.to,
                generation,
                wished.reason,
                wished.through_freeze
            );
            kept.execute(&self.pool).await?;
        }
        Ok(admitted)
    }

    /// Every record set that changed after a generation, as it stood there.
    async fn formers(&self, group: i64, to: Generation) -> Result<Vec<Former>, StoreError> {
        let rows = sqlx::query_file!("queries/breakglass/sets_changed_since.sql", group, to.get());
        let mut formers = Vec::new();
        for row in rows.fetch_all(&self.pool).await? {
            let damaged = |why: String| StoreError::Damaged(format!("{} in {}: {why}", row.owner, row.zone_name));
            let zone = Name::parse(&row.zone_name).map_err(|why| damaged(why.to_string()))?;
            let key =
                Key::from_columns(&zone, &row.owner, row.rtype, row.covered).map_err(|why| damaged(why.to_string()))?;
            let content = row.value.as_deref().map(|value| Content::from_value(&key, value)).transpose();
            let set = match content.map_err(|why| damaged(why.to_string()))? {
                Some(Content::Records(set)) => Some(set),
                _ => None,
            };
            if let Key::Records(key) = key {
                formers.push(Former { zone, key, set });
            }
        }
        Ok(formers)
    }
}
