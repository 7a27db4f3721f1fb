//! Other people's servers, set up as fairly as we can: one worker on the same core, the same zones, no limits, minimal answers.

mod powerdns;

use crate::contents::Contents;
use crate::cpu;
use crate::echo::free_address;
use private_postgres::RunningCluster;
use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a peer may take to load.
const STARTED_WITHIN: Duration = Duration::from_secs(120);

/// How somebody gets a peer that is not there.
const GETS_IT: &str = "`cargo xtask bench udp --install-peers` gets it";

/// A server that is measured. Ended when this is dropped, if it was started here.
pub(crate) struct Peer {
    /// Whose CPU an answer costs, with that of their children.
    pub(crate) pids: Vec<u32>,
    pub(crate) address: SocketAddr,
    child: Option<Child>,
    _folder: Option<TempDir>,
    /// The database that it asks; ended after it.
    behind: Option<(RunningCluster, TempDir)>,
}

impl Peer {
    /// One that runs already.
    pub(crate) fn of(pid: u32, address: SocketAddr) -> Self {
        Self { pids: vec![pid], address, child: None, _folder: None, behind: None }
    }

    /// Starts one, and waits until it says something.
    pub(crate) fn start(mut command: Command, address: SocketAddr, folder: Option<TempDir>) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let peer = Self { pids: vec![child.id()], address, child: Some(child), _folder: folder, behind: None };
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        // The addresses of the zone z00000.example: refused while it is not loaded, or nothing at all.
        let question = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x06z00000\x07example\0\0\x06\0\x01";
        let (began, mut reply) = (Instant::now(), [0; 512]);
        while socket.send(question).is_err() || !(socket.recv(&mut reply).is_ok() && reply[3] & 15 == 0) {
            assert!(began.elapsed() < STARTED_WITHIN, "{command:?} does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // NSD ends its children when it is asked to end.
            let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
            let _ = child.wait();
        }
        drop(self.behind.take());
    }
}

/// Starts those that are installed, and says which are not.
pub(crate) fn start(contents: &Contents, core: usize) -> Vec<(&'static str, Peer)> {
    type Settings = fn(&Path, SocketAddr, &Contents) -> String;
    let known: [(&str, &str, &[&str], Settings); 2] =
        [("Knot", "/usr/sbin/knotd", &["-c"], knot), ("NSD", "/usr/sbin/nsd", &["-d", "-c"], nsd)];
    let mut started = Vec::new();
    for (name, program, options, settings) in known {
        if !Path::new(program).is_file() {
            println!("{name} is not installed; {GETS_IT}");
            continue;
        }
        let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
        for zone in 0..contents.zones {
            fs::write(folder.path().join(format!("{zone}.zone")), contents.text(zone)).unwrap();
        }
        let file = folder.path().join("settings");
        fs::write(&file, settings(folder.path(), address, contents)).unwrap();
        let mut command = cpu::on_core(core, program);
        command.args(options).arg(&file);
        started.push((name, Peer::start(command, address, Some(folder))));
    }
    if Path::new(powerdns::PROGRAM).is_file() {
        started.push(("PowerDNS", powerdns::start(contents, core)));
    } else {
        println!("PowerDNS is not installed; {GETS_IT}");
    }
    started
}

fn knot(folder: &Path, address: SocketAddr, contents: &Contents) -> String {
    let (folder, port) = (folder.display(), address.port());
    let mut text = format!(
        "server:\n  rundir: {folder}\n  pidfile: {folder}/pid\n  listen: 127.0.0.1@{port}\n  udp-workers: 1\n  tcp-workers: 1\n  \
         background-workers: 1\nlog:\n- target: stderr\n  any: error\ndatabase:\n  storage: {folder}\ncontrol:\n  listen: {folder}/socket\n\
         template:\n- id: default\n  storage: {folder}\n  zonefile-sync: -1\n  zonefile-load: whole\n  journal-content: none\n  \
         semantic-checks: off\nzone:\n"
    );
    for zone in 0..contents.zones {
        writeln!(text, "- domain: {}\n  file: {zone}.zone", contents.zone(zone)).unwrap();
    }
    text
}

fn nsd(folder: &Path, address: SocketAddr, contents: &Contents) -> String {
    let (folder, port) = (folder.display(), address.port());
    let mut text = format!(
        "server:\n  ip-address: 127.0.0.1@{port}\n  server-count: 1\n  reuseport: yes\n  minimal-responses: yes\n  rrl-ratelimit: 0\n  \
         username: \"\"\n  chroot: \"\"\n  zonesdir: {folder}\n  database: \"\"\n  pidfile: {folder}/pid\n  xfrdfile: {folder}/xfrd\n  \
         zonelistfile: {folder}/list\n  xfrdir: {folder}\n  verbosity: 0\nremote-control:\n  control-enable: no\n"
    );
    for zone in 0..contents.zones {
        writeln!(text, "zone:\n  name: {}\n  zonefile: {zone}.zone", contents.zone(zone)).unwrap();
    }
    text
}
