//! Gets what is missing on this machine, and says what it does.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use private_postgres::{Installation, MAJOR_MIN};

use crate::{Failure, cargo};

/// A system's package manager, and what its packages are called.
struct Manager {
    program: &'static str,
    refresh: Option<&'static [&'static str]>,
    install: &'static [&'static str],
    as_root: bool,
    postgres: &'static str,
    dig: &'static str,
    cxx: &'static str,
}

const MANAGERS: [Manager; 6] = [
    Manager {
        program: "apt-get",
        refresh: Some(&["update"]),
        install: &["install", "--yes", "--no-install-recommends"],
        as_root: true,
        postgres: "postgresql",
        dig: "bind9-dnsutils",
        cxx: "g++",
    },
    Manager {
        program: "dnf",
        refresh: None,
        install: &["install", "--assumeyes"],
        as_root: true,
        postgres: "postgresql-server",
        dig: "bind-utils",
        cxx: "gcc-c++",
    },
    Manager {
        program: "pacman",
        refresh: None,
        install: &["-S", "--noconfirm", "--needed"],
        as_root: true,
        postgres: "postgresql",
        dig: "bind",
        cxx: "gcc",
    },
    Manager {
        program: "zypper",
        refresh: None,
        install: &["--non-interactive", "install"],
        as_root: true,
        postgres: "postgresql-server",
        dig: "bind-utils",
        cxx: "gcc-c++",
    },
    Manager {
        program: "apk",
        refresh: None,
        install: &["add"],
        as_root: true,
        postgres: "postgresql",
        dig: "bind-tools",
        cxx: "g++",
    },
    Manager {
        program: "brew",
        refresh: None,
        install: &["install"],
        as_root: false,
        postgres: "postgresql@17",
        dig: "bind",
        cxx: "llvm",
    },
];

/// A Postgres that is new enough.
pub(crate) fn need_postgres() -> Result<(), Failure> {
    let present = || !Installation::all().is_empty();
    if present() {
        return Ok(());
    }
    install(&format!("Postgres {MAJOR_MIN} or newer"), |manager| manager.postgres)?;
    if present() {
        return Ok(());
    }
    Err(format!(
        "What was installed is older than Postgres {MAJOR_MIN}. Install a newer one from its makers' packages, then try again; \
         or set DATABASE_URL to use a Postgres elsewhere."
    ))
}

/// `dig`.
pub(crate) fn need_dig() -> Result<(), Failure> {
    if is_there("dig") { Ok(()) } else { install("dig", |manager| manager.dig) }
}

/// A compiler for C++, in which libFuzzer is written.
pub(crate) fn need_cxx() -> Result<(), Failure> {
    let named = env::var("CXX").is_ok_and(|named| is_there(&named) || Path::new(&named).is_file());
    if named || ["c++", "g++", "clang++"].into_iter().any(is_there) {
        return Ok(());
    }
    install("a C++ compiler (libFuzzer is written in C++)", |manager| manager.cxx)
}

/// A program, and the packages that have it.
type Peer = (&'static str, &'static [&'static str]);

/// The name servers that answers are compared with. Every system calls their packages so.
const JUDGES: [Peer; 2] = [("knotd", &["knot"]), ("nsd", &["nsd"])];
/// What is measured beside them, by Debian's names.
const ALSO_MEASURED: [Peer; 1] = [("pdns_server", &["pdns-server", "pdns-backend-pgsql"])];

/// Gets the name servers that answers are compared with.
pub(crate) fn need_judges() -> Result<(), Failure> {
    JUDGES.iter().try_for_each(need_peer)
}

/// Gets the name servers that we are measured against.
pub(crate) fn need_peers() -> Result<(), Failure> {
    JUDGES.iter().chain(&ALSO_MEASURED).try_for_each(need_peer)
}

fn need_peer((program, packages): &Peer) -> Result<(), Failure> {
    // Where an ordinary user's PATH does not lead.
    if is_there(program) || Path::new("/usr/sbin").join(program).is_file() {
        return Ok(());
    }
    packages.iter().try_for_each(|package| install(package, |_| package))
}

/// Whether a program is in PATH.
pub(crate) fn is_there(program: &str) -> bool {
    env::var_os("PATH").iter().flat_map(env::split_paths).any(|folder| folder.join(program).is_file())
}

fn install(what: &str, package: impl Fn(&Manager) -> &'static str) -> Result<(), Failure> {
    let Some(manager) = MANAGERS.iter().find(|manager| is_there(manager.program)) else {
        return Err(format!(
            "{what} is missing, and no package manager that this knows is here. Install it in your system's way, then try again."
        ));
    };
    let mut words = vec![manager.program];
    words.extend(manager.install);
    words.push(package(manager));
    let prefix = if manager.as_root && !is_root() { "sudo " } else { "" };
    let typed = format!("{prefix}{}", words.join(" "));
    if !prefix.is_empty() && !may_sudo() {
        return Err(format!("{what} is missing. Type:\n  {typed}\nThen try again."));
    }
    if let Some(refresh) = manager.refresh {
        println!(
            "{what} is missing: refreshing the list of packages (`{prefix}{} {}`)",
            manager.program,
            refresh.join(" ")
        );
        // An old list may do.
        if let Err(why) = cargo::run(&mut command(prefix, &[&[manager.program], refresh].concat())) {
            println!("{why}; going on with the list as it is");
        }
    }
    println!("{what} is missing: installing it (`{typed}`)");
    cargo::run(&mut command(prefix, &words))
        .map_err(|why| format!("{why}. {what} is needed: install it, then try again."))
}

fn command(prefix: &str, words: &[&str]) -> Command {
    let mut all = prefix.split_whitespace().chain(words.iter().copied());
    let mut command = Command::new(all.next().unwrap_or_default());
    command.args(all).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|answer| answer.stdout.trim_ascii() == b"0")
}

/// Without a question, or with one where somebody can answer.
fn may_sudo() -> bool {
    let asks_nothing =
        Command::new("sudo").args(["-n", "true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    let somebody_there = std::io::IsTerminal::is_terminal(&std::io::stdin()) && Path::new("/dev/tty").exists();
    is_there("sudo") && (asks_nothing || somebody_there)
}
