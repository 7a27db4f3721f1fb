//! Raising a group's epoch: one generation above all that were ever known or reported.

use super::turns::Turns;
use super::{AdmissionError, AdmittedPlan, Submission, TRIED_AGAIN_S_MAX, admitted_plan};
use crate::notices::Notices;
use crate::store::{HistoryStore, Write, Written};
use plan_rules::Author;
use std::time::Instant;
use zone_model::{Base, GroupName, Plan, PlanKind};

/// Raises it; none for a group that does not exist. A raise is decided on the very tip, so a lost race is decided anew.
pub(super) async fn raise(
    store: &HistoryStore,
    notices: &Notices,
    turns: &Turns,
    (group, reason): (GroupName, String),
    (token, author): (i64, Author),
) -> Result<Option<AdmittedPlan>, AdmissionError> {
    let started = Instant::now();
    let _turn = turns.take(&group).await;
    loop {
        let Some(found) = store.history_for_raise(&group).await? else { return Ok(None) };
        let Some(tip) = found.read.history.tip else { return Ok(None) };
        let zones = &found.read.history.zones;
        let admission = plan_rules::raise(tip, found.reported, zones).map_err(AdmissionError::Refused)?;
        let base = Base::from(tip.version.generation);
        let plan = Plan { reason: Some(reason.clone()), kind: PlanKind::Raise, ..Plan::new(group.clone(), base) };
        let submission = Submission { plan, token, author: author.clone(), idempotency: None, dry_run: false };
        let write = Write {
            submission: &submission,
            admission: &admission,
            group: found.read.group.unwrap_or_default(),
            zones: &found.read.zones,
            staged: None,
        };
        match store.write(&[write]).await {
            Ok(Written::Admitted) => {
                notices.send();
                return Ok(Some(admitted_plan(&submission, &admission)));
            }
            Ok(Written::LostRace | Written::KeyKnown) => {}
            // A server reported a greater generation meanwhile: what is read next is above that.
            Err(error) if error.is_overtaken() || error.is_still_behind() => {
                tracing::debug!(%group, %error, "overtaken; deciding again");
            }
            Err(error) => return Err(error.into()),
        }
        if started.elapsed().as_secs() >= TRIED_AGAIN_S_MAX {
            return Err(AdmissionError::Busy(TRIED_AGAIN_S_MAX));
        }
    }
}
