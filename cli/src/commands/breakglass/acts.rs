//! Freezing, thawing and enacting.

use std::time::Duration;

use control_plane::breakglass::{BreakGlass, Extent};

use crate::commands::CommandError;

// What is frozen or thawed. (Not in the form that `--help` would show.)
#[derive(Clone, Debug, clap::Args)]
struct What {
    /// The group.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    group: Option<String>,
    /// Every group, those to come included.
    #[arg(long)]
    all: bool,
    /// In this ring only.
    #[arg(long, value_name = "RING")]
    ring: Option<String>,
}

impl What {
    async fn extent(&self, database: &BreakGlass) -> Result<Extent, CommandError> {
        Ok(database.extent(self.group.as_deref(), self.ring.as_deref()).await?)
    }

    /// "group demo in ring fleet".
    fn words(&self) -> String {
        let group = self.group.as_ref().map_or("every group".to_owned(), |group| format!("group {group}"));
        let ring = self.ring.as_ref().map_or("every ring".to_owned(), |ring| format!("ring {ring}"));
        format!("{group} in {ring}")
    }

    /// The same as arguments.
    fn arguments(&self) -> String {
        let group = self.group.clone().unwrap_or_else(|| "--all".to_owned());
        self.ring.as_ref().map_or(group.clone(), |ring| format!("{group} --ring {ring}"))
    }
}

/// Freezes: no head moves any more, until it is thawed.
///
/// When it has answered, no move is in flight. Plans are still admitted, and servers go on answering what they serve.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Freeze {
    #[command(flatten)]
    what: What,
    /// Why; kept in the audit log, and told to everybody who asks why nothing moves.
    #[arg(long, value_parser = reason)]
    reason: String,
    /// Ends by itself after so long: 90s, 30m, 2h or 1d, by the database's clock.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    within: Option<Duration>,
}

impl Freeze {
    pub(super) async fn run(&self, database: &BreakGlass) -> Result<Vec<String>, CommandError> {
        let extent = self.what.extent(database).await?;
        let stop = database.freeze(&extent, &self.reason, self.within).await?.unwrap_or_default();
        let until = self.within.map_or(String::new(), |within| format!(", for {} s", within.as_secs()));
        Ok(vec![
            format!("frozen: {}{until} (stop {stop}, by {})", self.what.words(), database.by()),
            "Not touched: heads, plans, and what servers answer. Plans are still admitted.".to_owned(),
            format!("To end it: holdfast breakglass thaw {} --reason WHY", self.what.arguments()),
        ])
    }
}

/// Thaws: ends the stops of exactly this group and ring.
///
/// `thaw demo` leaves a freeze of everything, or of ring fleet alone, as it is. Those of the auditor end as well; a history that is
/// behind its servers stays stopped, until the epoch is raised.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Thaw {
    #[command(flatten)]
    what: What,
    /// Why; kept in the audit log.
    #[arg(long, value_parser = reason)]
    reason: String,
}

impl Thaw {
    pub(super) async fn run(&self, database: &BreakGlass) -> Result<Vec<String>, CommandError> {
        let extent = self.what.extent(database).await?;
        let thawed = database.thaw(&extent, &self.reason).await?;
        let mut said = vec![match thawed {
            0 => format!("nothing stopped exactly {}", self.what.words()),
            1 => format!("thawed: {} (1 stop ended, by {})", self.what.words(), database.by()),
            _ => format!("thawed: {} ({thawed} stops ended, by {})", self.what.words(), database.by()),
        }];
        let stops = database.stops().await?;
        if stops.is_empty() {
            said.push(
                "No stop is left. Heads move on as soon as an enactor lives, or by `breakglass enact`.".to_owned(),
            );
        } else {
            said.push("Still in force:".to_owned());
            said.extend(super::show::stops(&stops));
        }
        Ok(said)
    }
}

/// Enacts: moves the head of a ring forward to a generation that you choose.
///
/// The database refuses what is frozen, has failed, is below the floor, or was not proved by the first ring; and heads never
/// move back (roll back instead). Enactors that are alive go on to the newest from there.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Enact {
    /// The group.
    group: String,
    /// The generation, as `breakglass show GROUP` lists them.
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    generation: i64,
    /// The ring.
    #[arg(long, value_name = "RING", default_value = "fleet")]
    ring: String,
    /// Why; kept in the audit log.
    #[arg(long, value_parser = reason)]
    reason: String,
}

impl Enact {
    pub(super) async fn run(&self, database: &BreakGlass) -> Result<Vec<String>, CommandError> {
        let Self { group, generation, ring, reason } = self;
        let enacted = database.enact(group, ring, *generation, reason).await?;
        let mut said = vec![if enacted.moved {
            format!("enacted: {group} in ring {ring} is at generation {generation} (by {})", database.by())
        } else {
            format!("{group} in ring {ring} had moved to generation {generation} already; nothing was changed")
        }];
        if enacted.head != *generation {
            said.push(format!("Its head has gone on to generation {} since: an enactor lives.", enacted.head));
        }
        said.push(
            "Not touched: other rings and groups. Servers of the ring install it within a second or two, if they live."
                .to_owned(),
        );
        Ok(said)
    }
}

pub(super) fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("say why: whoever finds it later will want to know".to_owned()),
        text if text.chars().count() > 1000 => Err("at most 1000 characters".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let unclear = || format!("`{text}` is no duration: write 90s, 30m, 2h or 1d");
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(unclear()),
    };
    let number: u32 = digits.parse().map_err(|_| unclear())?;
    if number == 0 { Err(unclear()) } else { Ok(Duration::from_secs(u64::from(number) * unit)) }
}

#[cfg(test)]
mod tests {
    use super::{duration, reason};
    use std::time::Duration;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("30m", 1_800), ("2h", 7_200), ("1d", 86_400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "0s", "10", "-1h", "1w", "1.5h", "h1", "9999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reason_says_something() {
        assert!(reason("  ").is_err() && reason(&"x".repeat(1001)).is_err());
        assert_eq!(reason(" because ").as_deref(), Ok("because"));
    }
}
