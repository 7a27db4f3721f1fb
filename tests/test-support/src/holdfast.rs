//! The real programs, as `holdfast up` starts them, seen from outside.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use hickory_proto::op::Message;
use private_postgres::{Signal, is_alive, signal};
use serde_json::Value;
use tempfile::TempDir;
use ureq::http::{Method, Request};
use ureq::{Agent, SendBody};

use crate::run::Run;
use crate::traced::Traced;
use crate::{Answer, dns, place};

/// How long a start may take, on a busy machine.
const UP_WITHIN: Duration = Duration::from_secs(120);
/// How long a stop may take.
const STOPPED_WITHIN: Duration = Duration::from_secs(60);
/// What `up` says when everything runs.
const IS_UP: &str = "Holdfast is up";

/// How to start.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// With the demo zones.
    pub demo: bool,
    /// In this database instead of a private Postgres.
    pub database_url: Option<String>,
    /// More options of `holdfast up`.
    pub arguments: Vec<String>,
    /// Environment variables for all programs.
    pub variables: Vec<(String, String)>,
    /// The programs do not tell their moves, as nobody's do whose speed is measured.
    pub untraced: bool,
}

/// A running Holdfast, in a directory and on ports of its own. Stopped and gone when this is dropped. The model judges then
/// what its programs have done, and the test fails if it was something that is not allowed; the ends of its logs are shown
/// if the test has failed before.
#[derive(Debug)]
pub struct Holdfast {
    run: Option<Run>,
    options: Options,
    pub(crate) traced: Traced,
    home: TempDir,
    dns: SocketAddr,
    api: SocketAddr,
    admin: SocketAddr,
    agent: Agent,
}

impl Holdfast {
    /// Starts one without anything in it.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(Options::default())
    }

    /// Starts one.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start_with(options: Options) -> Self {
        let mut holdfast = Self::prepare(options);
        holdfast.start_again();
        holdfast
    }

    /// One that is not started yet.
    ///
    /// # Panics
    /// When there is no place for it.
    #[must_use]
    pub fn prepare(options: Options) -> Self {
        let home = tempfile::Builder::new().prefix("holdfast-test-").tempdir().expect("a temporary directory");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o711)).expect("it is ours");
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .new_agent();
        let (dns, api, admin) = (place::free_address(), place::free_address(), place::free_address());
        let traced = Traced::new(home.path(), !options.untraced);
        Self { run: None, options, traced, home, dns, api, admin, agent }
    }

    /// Starts it, on the same data and ports as before.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&mut self) {
        self.traced.starts();
        let mut run = Run::start(self.command());
        let up = run.says(IS_UP, UP_WITHIN);
        let said = run.said();
        self.run = Some(run);
        assert!(up, "holdfast does not come up:\n{said}");
        self.traced.all_tell();
    }

    /// `holdfast up` with these options, not started yet.
    ///
    /// # Panics
    /// When it was not built.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(program("holdfast"));
        command.arg("up").arg("--data-dir").arg(self.data());
        command.args([
            "--dns",
            &self.dns.to_string(),
            "--api",
            &self.api.to_string(),
            "--admin",
            &self.admin.to_string(),
        ]);
        if !self.options.demo {
            command.arg("--no-demo");
        }
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HOLDFAST_") || name == "DATABASE_URL") {
            command.env_remove(name);
        }
        command.envs(self.traced.variable());
        command.args(&self.options.arguments).envs(self.options.variables.clone());
        if let Some(url) = &self.options.database_url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Stops it as Ctrl-C does, and waits.
    ///
    /// # Panics
    /// When it does not run, or does not stop.
    pub fn stop(&mut self) -> ExitStatus {
        self.ask_what_is_held(false);
        let run = self.run.as_mut().expect("it runs");
        run.signal(Signal::INT);
        let ended = run.ended(STOPPED_WITHIN);
        ended.unwrap_or_else(|| panic!("holdfast does not stop:\n{}", self.said()))
    }

    /// Kills `up` itself, and nothing else.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill_up(&mut self) {
        let run = self.run.as_mut().expect("it runs");
        run.signal(Signal::KILL);
        run.ended(STOPPED_WITHIN).expect("nobody survives that");
    }

    /// Sends a signal to `up` itself.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal_up(&mut self, kind: Signal) {
        self.run.as_mut().expect("it runs").signal(kind);
    }

    /// All that `up` has said.
    #[must_use]
    pub fn said(&self) -> String {
        self.run.as_ref().map(Run::said).unwrap_or_default()
    }

    /// The number of `up` itself.
    #[must_use]
    pub fn up_pid(&self) -> u32 {
        self.run.as_ref().map_or(0, Run::pid)
    }

    /// The number of a program: `postgres`, `api`, `enactor-1`, `enactor-2`, `server`, `auditor`. None while it does not run.
    #[must_use]
    pub fn pid(&self, name: &str) -> Option<u32> {
        let text = fs::read_to_string(self.data().join(format!("run/{name}.pid"))).ok()?;
        text.trim().parse().ok().filter(|pid| is_alive(*pid))
    }

    /// Sends a signal to a program.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, name: &str, kind: Signal) {
        signal(self.pid(name).unwrap_or_else(|| panic!("{name} does not run")), kind);
    }

    /// Where DNS is answered.
    #[must_use]
    pub const fn dns(&self) -> SocketAddr {
        self.dns
    }

    /// Where the API is.
    #[must_use]
    pub const fn api(&self) -> SocketAddr {
        self.api
    }

    /// Where the server's metrics and health are.
    #[must_use]
    pub const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// The administrator's token.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn token(&self) -> String {
        read(&self.data().join("admin-token"))
    }

    /// The owner's address of the database.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn database_url(&self) -> String {
        read(&self.data().join("database-url"))
    }

    /// The superuser's address of the database, in a private Postgres.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn superuser_url(&self) -> String {
        let url = self.database_url();
        let place = url.split_once('@').expect("an address with a login").1;
        format!("postgresql://postgres@{place}")
    }

    /// GET from the API, as administrator.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[], "")
    }

    /// POST of JSON, as administrator.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path, &[("Content-Type", "application/json")], &body.to_string())
    }

    /// POST of a zone file, as administrator.
    #[must_use]
    pub fn post_text(&self, path: &str, body: &str) -> Answer {
        self.request(Method::POST, path, &[("Content-Type", "text/dns")], body)
    }

    /// DELETE, as administrator.
    #[must_use]
    pub fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path, &[], "")
    }

    /// Any request to the API: as administrator unless the headers say otherwise (an empty `Authorization`: as nobody).
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_request(method, path, headers, body).unwrap_or_else(|why| panic!("{path}: {why}"))
    }

    /// The same, where the API may be dead, or die meanwhile.
    ///
    /// # Errors
    /// When nobody answers, or not to the end.
    pub fn try_request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.api));
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            request = request.header("Authorization", format!("Bearer {}", self.token()));
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let mut bytes = body.as_bytes();
        let answer = if body.is_empty() {
            self.agent.run(request.body(()).expect("a request"))
        } else {
            let request = request.header("Content-Length", body.len());
            self.agent.run(request.body(SendBody::from_reader(&mut bytes)).expect("a request"))
        };
        Answer::read(answer?)
    }

    /// GET from the API, as nobody. None if it does not answer.
    #[must_use]
    pub fn get_api(&self, path: &str) -> Option<Answer> {
        self.agent.get(format!("http://{}{path}", self.api)).call().and_then(Answer::read).ok()
    }

    /// GET from the server's admin address. None if nobody answers.
    #[must_use]
    pub fn get_admin(&self, path: &str) -> Option<Answer> {
        self.agent.get(format!("http://{}{path}", self.admin)).call().and_then(Answer::read).ok()
    }

    /// What `dig +short` prints, line by line.
    ///
    /// # Panics
    /// When there is no `dig`, or nobody answers it.
    #[must_use]
    pub fn dig_short(&self, name: &str, rtype: &str) -> Vec<String> {
        let mut dig = Command::new("dig");
        dig.arg(format!("@{}", self.dns.ip())).args([
            "-p",
            &self.dns.port().to_string(),
            "+short",
            "+tries=2",
            "+time=2",
        ]);
        let answer = dig.args([name, rtype]).output().expect("dig is installed");
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        assert!(answer.status.success(), "dig {name} {rtype}: {text}");
        text.lines().map(str::to_owned).collect()
    }

    /// Asks over UDP.
    ///
    /// # Panics
    /// When no answer comes.
    #[must_use]
    pub fn ask(&self, name: &str, rtype: &str) -> Message {
        dns::ask_udp(self.dns, &dns::query(name, rtype)).unwrap_or_else(|why| panic!("{name} {rtype}: {why}"))
    }

    /// Asks over TCP.
    ///
    /// # Panics
    /// When no answer comes.
    #[must_use]
    pub fn ask_tcp(&self, name: &str, rtype: &str) -> Message {
        dns::ask_tcp(self.dns, &dns::query(name, rtype)).unwrap_or_else(|why| panic!("{name} {rtype}: {why}"))
    }
}

impl Drop for Holdfast {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_last_words();
        }
        let runs = self.run.as_mut().is_some_and(|run| run.ended(Duration::ZERO).is_none());
        self.ask_what_is_held(runs && !std::thread::panicking());
        if let Some(run) = &mut self.run {
            run.signal(Signal::INT);
            if run.ended(STOPPED_WITHIN).is_none() {
                // Its programs end with it.
                run.signal(Signal::KILL);
                let _killed = run.ended(STOPPED_WITHIN);
            }
        }
        self.judge_moves();
    }
}

fn read(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    text.trim().to_owned()
}

/// A built program, beside this test.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = place::programs().join(name);
    assert!(path.is_file(), "{} is missing; build first: cargo build --workspace", path.display());
    path
}
