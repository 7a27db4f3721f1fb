//! The moves that a Holdfast's programs tell, and what the model says to them.
//!
//! Every test that starts the programs is judged like that at its end, whatever it is about. A trace with holes is refused as
//! well: each program has to say that it tells, and what the database holds in the end must have been told.

use std::fs;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use model::trace::{Held, Summary, Violation, check, untold};
use move_trace::{At, Line, Move, VARIABLE, When};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use uuid::Uuid;

use crate::{Holdfast, block_on, eventually, place};

/// The API, two enactors, the retirement, the server and the auditor.
const PROGRAMS_OF_UP: usize = 6;
/// How long they may take to begin, once `up` says that it is up.
const BEGUN_WITHIN: Duration = Duration::from_secs(60);
/// How long a database that was just killed may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// Violations shown of a trace; the others are in the file.
const SHOWN_MAX: usize = 20;

/// All generations, and all moves of heads.
const WHAT_IS_HELD: &str = "
    select z.name, null::text, g.generation, encode(g.id, 'hex') from generation g join zone_group z using (zone_group)
    union all
    select z.name, m.ring, m.generation, encode(g.id, 'hex')
    from head_move m join generation g using (zone_group, generation) join zone_group z using (zone_group)";

/// One file for all programs of a Holdfast, those that a test starts by itself included.
#[derive(Debug)]
pub(crate) struct Traced {
    file: PathBuf,
    is_on: bool,
    held: Vec<Held>,
    begun: usize,
    /// What is wrong besides what the file tells.
    wrong: Vec<String>,
}

impl Traced {
    pub(crate) fn new(home: &Path, is_on: bool) -> Self {
        let (held, wrong) = (Vec::new(), Vec::new());
        Self { file: home.join("moves.jsonl"), is_on, held, begun: 0, wrong }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The variable that programs tell by, and its value.
    pub(crate) fn variable(&self) -> Option<(&'static str, &Path)> {
        self.is_on.then_some((VARIABLE, self.file()))
    }

    /// To be called before `up` is started.
    pub(crate) fn starts(&mut self) {
        self.begun = self.runs();
    }

    /// Waits until every program that `up` has started says that it tells.
    pub(crate) fn all_tell(&self) {
        eventually("every program begins to tell its moves", BEGUN_WITHIN, || {
            !self.is_on || self.runs() >= self.begun + PROGRAMS_OF_UP
        });
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap_or_default()
    }

    fn runs(&self) -> usize {
        let is_first = |line: &str| serde_json::from_str(line).is_ok_and(|line: Line| line.what == Move::Begin);
        self.text().lines().filter(|line| is_first(line)).count()
    }

    /// Asks the database what it holds, before it is gone. One that is to run may take a moment to be back.
    fn ask(&mut self, database_url: Option<&str>, runs: bool) {
        if !self.is_on {
            return;
        }
        let began = Instant::now();
        loop {
            match database_url.map(|url| block_on(in_time(held(url)))) {
                Some(Ok(held)) => return self.held.extend(held),
                Some(Err(why)) if runs && began.elapsed() > ANSWERS_WITHIN => {
                    return self.wrong.push(format!("the database could not be asked what it holds: {why}"));
                }
                Some(Err(_)) if runs => sleep(Duration::from_millis(200)),
                Some(Err(_)) | None => return,
            }
        }
    }

    /// Judges it, when all programs have ended; what is wrong, for people.
    fn judged(&self, logs: &Path) -> Vec<String> {
        let text = self.text();
        let mut wrong = self.wrong.clone();
        if let Err(violations) = check(&text) {
            wrong.extend(violations.iter().map(Violation::to_string));
        }
        let held = untold(&text, &self.held);
        wrong.extend(held.iter().map(|one| format!("the database holds what nobody told: {one:?}")));
        for log in fs::read_dir(logs).into_iter().flatten().flatten() {
            let said = fs::read(log.path()).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            let complaint = said.lines().find(|line| line.starts_with(&format!("{VARIABLE}:")));
            wrong.extend(complaint.map(|line| format!("{}: {line}", log.file_name().display())));
        }
        wrong
    }
}

impl Holdfast {
    /// Where its programs tell their moves: the value of `HOLDFAST_TRACE_MOVES` for those that a test starts by itself.
    #[must_use]
    pub fn moves_file(&self) -> PathBuf {
        self.traced.file().to_owned()
    }

    /// What its programs have told so far, judged by the model.
    ///
    /// # Errors
    /// What the model does not allow.
    pub fn moves_judged(&self) -> Result<Summary, Vec<Violation>> {
        check(&self.traced.text())
    }

    /// Tells that the database is another from here on. To be said while nobody can reach it: after the old one is gone, and
    /// before the restored one takes its place.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn tell_restored(&self) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.traced.file()).expect("it is ours");
        let instance = Uuid::new_v4();
        for (number, what) in (1..).zip([Move::Begin, Move::Restore]) {
            let line = Line { program: "test".to_owned(), instance, number, of: None, when: When::Done, what };
            let text = serde_json::to_string(&line).expect("a line is JSON") + "\n";
            file.write_all(text.as_bytes()).expect("it is ours");
        }
    }

    /// Asks the database what it holds, for the judgement, as long as it can be asked. Whether it `runs`: then it has to answer.
    pub(crate) fn ask_what_is_held(&mut self, runs: bool) {
        let url = fs::read_to_string(self.data().join("database-url"));
        self.traced.ask(url.ok().as_deref().map(str::trim), runs);
    }

    /// Judges the trace at the end of a test, and fails it unless it has failed.
    pub(crate) fn judge_moves(&self) {
        // A Holdfast that was never started tells nothing.
        if !self.traced.file().exists() {
            return;
        }
        let wrong = self.traced.judged(&self.data().join("log"));
        if wrong.is_empty() {
            return;
        }
        let kept = keep(self.traced.file());
        let shown = wrong.iter().take(SHOWN_MAX).map(|one| format!("\n  {one}")).collect::<String>();
        let said = format!("{} violations in the trace of moves, kept as {}:{shown}", wrong.len(), kept.display());
        assert!(std::thread::panicking(), "{said}");
        eprintln!("{said}");
    }
}

/// The folder of a test is gone with it.
fn keep(file: &Path) -> PathBuf {
    let folder = place::target().join("traces");
    let kept = folder.join(format!("{}.jsonl", Uuid::new_v4()));
    let copied = fs::create_dir_all(&folder).and_then(|()| fs::copy(file, &kept));
    copied.map_or_else(|_| file.to_owned(), |_| kept)
}

async fn in_time<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, String> {
    match tokio::time::timeout(Duration::from_secs(5), asked).await {
        Ok(answer) => answer.map_err(|why| why.to_string()),
        Err(_) => Err("it is silent".to_owned()),
    }
}

async fn held(url: &str) -> Result<Vec<Held>, sqlx::Error> {
    let mut connection = PgConnectOptions::from_str(url)?.connect().await?;
    let rows: Vec<(String, Option<String>, i64, String)> =
        sqlx::query_as(WHAT_IS_HELD).fetch_all(&mut connection).await?;
    connection.close().await?;
    let held = rows.into_iter().map(|(group, ring, generation, id)| Held { group, ring, at: At { generation, id } });
    Ok(held.collect())
}
