//! Turns: within this program, one plan or batch at a time goes through the door of a group. Between programs the door
//! itself decides; turns only save races that need not be run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;
use zone_model::GroupName;

/// One queue for each group that has plans under way.
#[derive(Debug, Default)]
pub(super) struct Turns {
    queues: Mutex<HashMap<GroupName, Arc<tokio::sync::Mutex<()>>>>,
}

/// How many queues are kept before idle ones are let go.
const QUEUES_KEPT_MAX: usize = 1_024;

impl Turns {
    /// Waits for a turn, first come, first served.
    pub(super) async fn take(&self, group: &GroupName) -> OwnedMutexGuard<()> {
        self.queue(group).lock_owned().await
    }

    /// Takes a turn if nobody has it or waits for it.
    pub(super) fn take_now(&self, group: &GroupName) -> Option<OwnedMutexGuard<()>> {
        self.queue(group).try_lock_owned().ok()
    }

    fn queue(&self, group: &GroupName) -> Arc<tokio::sync::Mutex<()>> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(group) {
            return Arc::clone(queue);
        }
        if queues.len() >= QUEUES_KEPT_MAX {
            // Whoever has a turn or waits for one holds a second reference.
            queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        }
        Arc::clone(queues.entry(group.clone()).or_default())
    }
}
