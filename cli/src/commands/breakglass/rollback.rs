//! Rolling back.

use control_plane::admission::Admitted;
use control_plane::breakglass::{BreakGlass, Rollback as Wished};
use zone_model::GroupName;

use super::acts::reason;
use crate::commands::CommandError;

/// Rolls back: admits a new generation that restores what was answered at an earlier one.
///
/// Records come back, and neither guards nor settings. What has changed since --base and would be taken back is refused as a conflict;
/// without --base, nothing is. It is in force when a head moves to it: by an enactor, or by `breakglass enact`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Rollback {
    /// The group.
    #[arg(value_parser = group_name)]
    group: GroupName,
    /// The generation whose answers are wished back, as `breakglass show GROUP` lists them.
    #[arg(long, value_name = "GENERATION", value_parser = clap::value_parser!(i64).range(1..))]
    to: i64,
    /// The generation that you had read [default: the newest].
    #[arg(long, value_name = "GENERATION", value_parser = clap::value_parser!(i64).range(1..))]
    base: Option<i64>,
    /// It may be enacted through a freeze, alone; and closes the group to planners, until an operator reopens it.
    #[arg(long)]
    through_freeze: bool,
    /// Why; kept in the history and in the audit log.
    #[arg(long, value_parser = reason)]
    reason: String,
}

impl Rollback {
    pub(super) async fn run(&self, database: &BreakGlass) -> Result<Vec<String>, CommandError> {
        let (group, to) = (self.group.clone(), self.to);
        let Self { base, through_freeze, reason, .. } = self.clone();
        let wished = Wished { group: group.clone(), to, base, reason, through_freeze };
        Ok(match database.roll_back(&wished).await? {
            Admitted::NoOp { tip, .. } => {
                let tip = tip.version.generation;
                vec![format!("{group} answers at generation {tip} as it did at {to} already; nothing was changed")]
            }
            Admitted::New(plan) | Admitted::Repeated(plan) | Admitted::DryRun(plan) => {
                let (generation, counts) = (plan.version.generation, plan.counts);
                let closed = if through_freeze { ", and the group is closed to planners from it on" } else { "" };
                vec![
                    format!(
                        "admitted: generation {generation} of {group} answers as {to} did ({} added, {} replaced, {} deleted){closed} (by {})",
                        counts.added,
                        counts.replaced,
                        counts.deleted,
                        database.by()
                    ),
                    "Not touched: heads. Enactors that live move them by themselves; without any:".to_owned(),
                    format!("  holdfast breakglass enact {group} {generation} --reason WHY"),
                ]
            }
        })
    }
}

fn group_name(text: &str) -> Result<GroupName, String> {
    GroupName::parse(text).map_err(|why| why.to_string())
}
