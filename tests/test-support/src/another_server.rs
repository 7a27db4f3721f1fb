//! More DNS servers beside that of `holdfast up`, in rings of their own.

use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use control_plane::database::ensure_login;
use hickory_proto::op::Message;
use private_postgres::Signal;

use crate::holdfast::program;
use crate::run::Run;
use crate::{Holdfast, block_on, dns, place};

/// How long its end may take.
const STOPPED_WITHIN: Duration = Duration::from_secs(20);

/// A DNS server; it ends with this value.
#[derive(Debug)]
pub struct AnotherServer {
    run: Run,
    dns: SocketAddr,
    admin: SocketAddr,
}

impl Holdfast {
    /// Starts another DNS server, under a login of its own.
    ///
    /// # Panics
    /// When the database refuses the login, or the server was not built.
    #[must_use]
    pub fn another_server(&self, name: &str, ring: &str) -> AnotherServer {
        self.another_server_with(name, ring, &[])
    }

    /// The same, with more variables.
    ///
    /// # Panics
    /// As that.
    #[must_use]
    pub fn another_server_with(&self, name: &str, ring: &str, variables: &[(&str, &str)]) -> AnotherServer {
        let owner = self.database_url();
        let login = format!("server_{}", name.replace('-', "_"));
        block_on(ensure_login(&owner, &login, "secret", &["holdfast_serve"])).expect("the owner makes logins");
        let place = owner.split_once('@').expect("an address with a login").1;
        let (dns, admin) = (place::free_address(), place::free_address());
        let mut command = Command::new(program("holdfast-server"));
        command.env("HOLDFAST_DATABASE_URL", format!("postgresql://{login}:secret@{place}"));
        command.env("HOLDFAST_DNS", dns.to_string()).env("HOLDFAST_ADMIN", admin.to_string());
        command.env("HOLDFAST_NAME", name).env("HOLDFAST_RING", ring);
        command.envs(self.traced.variable()).envs(variables.iter().copied());
        AnotherServer { run: Run::start(command), dns, admin }
    }
}

impl AnotherServer {
    /// Where it answers.
    #[must_use]
    pub const fn dns(&self) -> SocketAddr {
        self.dns
    }

    /// Where its metrics and health are.
    #[must_use]
    pub const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Its process.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.run.pid()
    }

    /// Asks over UDP.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn ask(&self, name: &str, rtype: &str) -> io::Result<Message> {
        dns::ask_udp(self.dns, &dns::query(name, rtype))
    }

    /// All that it has said.
    #[must_use]
    pub fn said(&self) -> String {
        self.run.said()
    }

    /// Sends it a signal.
    pub fn signal(&mut self, kind: Signal) {
        self.run.signal(kind);
    }
}

impl Drop for AnotherServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- another server said:\n{}", self.said());
        }
        self.run.signal(Signal::KILL);
        let _killed = self.run.ended(STOPPED_WITHIN);
    }
}
