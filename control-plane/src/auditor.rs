//! The auditor: asks every live server over the wire which generation it serves and what it answers, and compares that
//! with what the history says of *that* generation. It may do two things: freeze a group, and raise the alarm.
//!
//! Nothing here is shared with what admits, enacts or serves, but the nouns: the same fault in all of those would be no
//! fault in each other's eyes. What it cannot see it says nothing about: a server that is silent, slow, behind, or at a
//! generation that was retired has disagreed with nothing.

mod conversation;
mod history;
mod judge;
mod metrics;
mod reply;
mod schema;
mod suspicion;

use crate::store::StoreError;
use history::{Asked, History, Place, Reported, Server, Told};
use judge::Found;
use metrics::Metrics;
use reply::Reply;
use schema::ExpectedSchema;
use sqlx::PgPool;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use suspicion::{ROUNDS, Subject, Suspicions, Whose};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use zone_model::{Name, RecordType, Version};

/// Servers that are asked at the same time.
const SERVERS_AT_ONCE: usize = 16;
/// The schema is looked at in every so manieth round.
const SCHEMA_EVERY_ROUNDS: u64 = 15;
/// The longest reason that a stop may have.
const REASON_LENGTH_MAX: usize = 1000;

/// One auditor. Several do no harm: a group is frozen once.
#[derive(Debug)]
pub struct Auditor {
    history: History,
    name: String,
    every: Duration,
    metrics: Arc<Metrics>,
    expected_schema: ExpectedSchema,
    suspicions: Suspicions,
    /// How far each group's record sets, and each server's groups, have been gone through.
    places: HashMap<i64, Place>,
    groups_after: HashMap<String, i64>,
    /// What each server told last, of each group.
    told_last: HashMap<Whose, Version>,
}

/// What became of a conversation: the questions, and the answers as far as there are any.
struct Heard {
    server: Server,
    reported: Vec<Reported>,
    asked: Vec<(i64, Asked)>,
    replies: Vec<Option<Reply>>,
}

impl Auditor {
    /// An auditor under a name that people chose, with a round `every` so often.
    ///
    /// # Errors
    /// When a metric cannot be registered.
    pub fn new(pool: PgPool, name: String, every: Duration) -> Result<Self, prometheus::Error> {
        Ok(Self {
            history: History::new(pool),
            name,
            every,
            metrics: Metrics::new()?,
            expected_schema: ExpectedSchema::of_migrations(),
            suspicions: Suspicions::default(),
            places: HashMap::new(),
            groups_after: HashMap::new(),
            told_last: HashMap::new(),
        })
    }

    /// Runs until `shutdown`; with `listener` its metrics can be read there. Whatever fails is tried again in the next round.
    pub async fn run(mut self, listener: Option<TcpListener>, shutdown: CancellationToken) {
        if let Some(listener) = listener {
            let (metrics, shutdown) = (Arc::clone(&self.metrics), shutdown.clone());
            tokio::spawn(async move {
                if let Err(error) = metrics.serve(listener, shutdown).await {
                    tracing::error!(%error, "the auditor's metrics cannot be read any more");
                }
            });
        }
        let mut rounds = 0;
        loop {
            let step = async {
                if rounds % SCHEMA_EVERY_ROUNDS == 0 {
                    self.look_at_the_schema().await?;
                }
                self.round().await
            };
            let done = tokio::select! {
                done = step => done,
                () = shutdown.cancelled() => break,
            };
            match done {
                Ok(()) => {
                    rounds += 1;
                    self.metrics.rounds.inc();
                }
                Err(error) => {
                    tracing::warn!(auditor = %self.name, %error, "could not audit; the next round tries again");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(self.every) => {}
                () = shutdown.cancelled() => break,
            }
        }
        tracing::info!(auditor = %self.name, "stopped");
    }

    async fn look_at_the_schema(&self) -> Result<(), StoreError> {
        let faults = self.expected_schema.faults(self.history.pool()).await?;
        self.metrics.schema_faults.set(i64::try_from(faults.len()).unwrap_or(i64::MAX));
        for fault in faults {
            tracing::error!(auditor = %self.name, %fault, "the database does not refuse any more what it should");
        }
        Ok(())
    }

    /// Asks every live server, and draws the conclusions.
    async fn round(&mut self) -> Result<(), StoreError> {
        let stopped = self.history.groups_stopped().await?;
        stopped.iter().for_each(|group| self.suspicions.group_is_frozen(*group));
        let servers = self.history.live_servers().await?;
        let mut samples: HashMap<i64, BTreeSet<Asked>> = HashMap::new();
        let mut silent = 0;
        for some in servers.chunks(SERVERS_AT_ONCE) {
            let mut talks = tokio::task::JoinSet::new();
            for server in some {
                let reported = self.reports_to_look_at(server).await?;
                let mut asked = Vec::new();
                for report in &reported {
                    let sample = match samples.entry(report.group) {
                        Entry::Occupied(sample) => sample.into_mut(),
                        Entry::Vacant(place) => place.insert(self.sample(report).await?),
                    };
                    asked.extend(sample.iter().map(|asked| (report.group, asked.clone())));
                }
                talks.spawn(talk(server.clone(), reported, asked));
            }
            while let Some(heard) = talks.join_next().await {
                let Ok(heard) = heard else { continue };
                silent += i64::from(!self.conclude(&heard, &stopped).await?);
            }
        }
        self.metrics.silent_servers.set(silent);
        self.metrics.suspicions.set(i64::try_from(self.suspicions.count()).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Some of the groups that a server reports: the next ones, and those that something was found about.
    async fn reports_to_look_at(&mut self, server: &Server) -> Result<Vec<Reported>, StoreError> {
        let (after, suspected) =
            (self.groups_after.get(&server.name).copied().unwrap_or_default(), self.suspicions.groups());
        let reported = self.history.reported(server, after, &suspected).await?;
        let last = reported.iter().map(|report| report.group).filter(|group| !suspected.contains(group)).max();
        let next = match last {
            Some(last) if !History::is_last(reported.len(), suspected.len()) => last,
            _ => 0,
        };
        self.groups_after.insert(server.name.clone(), next);
        Ok(reported)
    }

    /// What to ask about a group in this round.
    async fn sample(&mut self, report: &Reported) -> Result<BTreeSet<Asked>, StoreError> {
        let place = self.places.entry(report.group).or_default();
        let mut sample = self.history.sample(report.group, report.version.generation.get(), place).await?;
        let names: BTreeMap<i64, String> =
            sample.iter().map(|asked| (asked.zone, asked.zone_name.to_string())).collect();
        for (zone, owner, rtype) in self.suspicions.to_ask_again(report.group) {
            let zone_name = match names.get(&zone) {
                Some(name) => Some(name.clone()),
                None => self.history.zone_name(zone).await?,
            };
            sample.extend(zone_name.and_then(|name| history::question(zone, &name, owner, i32::from(rtype))));
        }
        Ok(sample)
    }

    /// Compares what was heard with the history. False for a server that told no generation at all.
    async fn conclude(&mut self, heard: &Heard, stopped: &BTreeSet<i64>) -> Result<bool, StoreError> {
        let mut answered = Vec::new();
        for ((group, asked), reply) in heard.asked.iter().zip(&heard.replies) {
            if let Some(reply) = reply
                && let Some(version) = reply.told
            {
                answered.push((asked, Told { group: *group, version }, reply));
            }
        }
        let told: Vec<(&Asked, Told)> = answered.iter().map(|(asked, told, _)| (*asked, told.clone())).collect();
        let expected = self.history.expected(&told).await?;
        let mut found: BTreeMap<i64, Vec<(u32, String)>> = BTreeMap::new();
        for ((asked, told, reply), expected) in answered.iter().zip(&expected) {
            let Some(expected) = expected else { continue };
            self.metrics.answers.inc();
            let whose = (heard.server.name.clone(), told.group);
            let rtype = asked.rtype.0;
            let subject = Subject::Records { zone: asked.zone, owner: asked.owner.clone(), rtype };
            match judge::compare(&asked.name, asked.rtype, expected, reply) {
                Found::Agrees => self.suspicions.agrees(&whose, &subject),
                Found::Silent => {}
                Found::Differs(how) => {
                    let rounds = self.suspicions.differs(&whose, subject);
                    let generation = told.version.generation;
                    let what = format!("at generation {generation} it {how}, asked for {} {}", asked.name, asked.rtype);
                    found.entry(told.group).or_default().push((rounds, what));
                }
            }
        }
        for report in &heard.reported {
            let tells: Vec<Version> = answered
                .iter()
                .filter(|(_, told, _)| told.group == report.group)
                .map(|(_, told, _)| told.version)
                .collect();
            if let Some((rounds, what)) = self.compare_report(&heard.server, report, &tells) {
                found.entry(report.group).or_default().push((rounds, what));
            }
        }
        for (group, of_group) in found {
            let name =
                heard.reported.iter().find(|report| report.group == group).map_or("?", |report| report.name.as_str());
            self.disagreements(&heard.server, group, name, of_group, stopped.contains(&group)).await?;
        }
        Ok(!answered.is_empty() || heard.asked.is_empty())
    }

    /// A server reports what it serves at every install, a moment later. So what it tells on the wire is never older than
    /// what it had reported before it was asked; and what it told a round ago it has reported by now:
    ///   1. it reports generation 5, is asked, and answers from 3: it never served 5, or went back;
    ///   2. it reports 5, answers from 7, and a round later still reports 5: it does not say what it serves.
    fn compare_report(&mut self, server: &Server, report: &Reported, tells: &[Version]) -> Option<(u32, String)> {
        let whose = (server.name.clone(), report.group);
        let told_before = match tells.last() {
            Some(last) => self.told_last.insert(whose.clone(), *last),
            None => self.told_last.get(&whose).copied(),
        };
        let subject =
            Subject::Report { generation: report.version.generation.get(), id: *report.version.id.as_bytes() };
        self.suspicions.reports(&whose, &subject);
        let is_unlike = |a: &Version, b: &Version| a.generation == b.generation && a.id != b.id;
        let behind =
            tells.iter().find(|told| told.generation < report.version.generation || is_unlike(told, &report.version));
        let ahead = told_before.filter(|before| {
            let goes_on = tells.iter().all(|told| told.generation >= before.generation);
            goes_on && before.generation > report.version.generation
        });
        let Some(told) = behind.copied().or(ahead) else {
            if !tells.is_empty() {
                self.suspicions.agrees(&whose, &subject);
            }
            return None;
        };
        if tells.is_empty() {
            return None;
        }
        let rounds = self.suspicions.differs(&whose, subject);
        let (reports, tells) = (short(&report.version), short(&told));
        Some((rounds, format!("it reports generation {reports}, and tells {tells} when asked")))
    }

    /// Raises the alarm, and freezes the group when something was met for the third time.
    async fn disagreements(
        &mut self,
        server: &Server,
        group: i64,
        name: &str,
        found: Vec<(u32, String)>,
        is_stopped: bool,
    ) -> Result<(), StoreError> {
        self.metrics.differences.inc_by(found.len() as u64);
        let Some((rounds, what)) = found.iter().max_by_key(|(rounds, _)| *rounds) else { return Ok(()) };
        let (auditor, server_name, address, differences) = (&self.name, &server.name, &server.answers_at, found.len());
        if is_stopped {
            // Said when it was stopped; from then on, the metric says it.
            tracing::debug!(%auditor, server = %server_name, group = %name, differences, %what, "still disagrees");
            return Ok(());
        }
        tracing::error!(
            %auditor, server = %server_name, %address, group = %name, rounds, differences, %what,
            "a server disagrees with the history"
        );
        if *rounds < ROUNDS {
            return Ok(());
        }
        let others = if differences > 1 { format!("; and {} more", differences - 1) } else { String::new() };
        let reason = format!("server {server_name} at {address}, in {ROUNDS} rounds: {what}{others}");
        let reason: String = reason.chars().take(REASON_LENGTH_MAX).collect();
        let freeze = sqlx::query_file!("queries/auditor/freeze_as_auditor.sql", group, reason, self.name);
        let told =
            move_trace::about(|| [move_trace::Move::Freeze { group: Some(name.to_owned()), ring: None, ends: false }]);
        let frozen = freeze.fetch_one(self.history.pool()).await;
        crate::told::ended(told, &frozen, |row| row.stop.is_some());
        if frozen?.stop.is_some() {
            self.metrics.freezes.inc();
            tracing::error!(%auditor, group = %name, %reason, "froze the group; thaw it when the cause is found");
        }
        self.suspicions.group_is_frozen(group);
        Ok(())
    }
}

/// "7 (0c3cbe0b)".
fn short(version: &Version) -> String {
    let id = version.id.to_string();
    format!("{} ({})", version.generation, id.get(..8).unwrap_or(&id))
}

async fn talk(server: Server, reported: Vec<Reported>, asked: Vec<(i64, Asked)>) -> Heard {
    let questions: Vec<(Name, RecordType)> = asked.iter().map(|(_, asked)| (asked.name.clone(), asked.rtype)).collect();
    let replies = match server.address {
        Some(address) => conversation::ask(address, &questions).await,
        None => Vec::new(),
    };
    Heard { server, reported, asked, replies }
}
