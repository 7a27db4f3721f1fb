//! The server as its users have it: a program with addresses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub struct Program {
    child: Child,
    pub dns: Vec<SocketAddr>,
    pub admin: SocketAddr,
    pub log: mpsc::Receiver<String>,
    /// What it had logged by the time that it was up.
    pub logged_before: Vec<String>,
}

impl Program {
    /// Starts it on ports that are free.
    pub fn start(database_url: &str, name: &str) -> Self {
        Self::start_with(database_url, name, &[])
    }

    /// The same with more options.
    pub fn start_with(database_url: &str, name: &str, options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast-server"));
        command.args(["--dns", "127.0.0.1:0,[::1]:0", "--admin", "127.0.0.1:0", "--name", name]);
        command.args(options).args(["--database-url", database_url]).env_remove("RUST_LOG").stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, log) = mpsc::channel();
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                let line = line.unwrap();
                eprintln!("{line}");
                let _ = sender.send(line);
            }
        });
        let admin = SocketAddr::from(([0, 0, 0, 0], 0));
        // From here on dropped, and so ended, whatever happens.
        let mut this = Self { child, dns: Vec::new(), admin, log, logged_before: Vec::new() };
        loop {
            let line = this.log.recv_timeout(Duration::from_secs(10)).unwrap();
            let word = line.split_whitespace().find_map(|word| word.strip_prefix("address="));
            this.dns.extend(word.map(|word| word.parse::<SocketAddr>().unwrap()));
            let is_up = line.contains("health and metrics");
            this.logged_before.push(line);
            if is_up {
                break;
            }
        }
        this.admin = this.dns.pop().unwrap();
        this
    }

    /// Waits for a line in the log.
    pub fn logged(&self, what: &str) -> String {
        if let Some(line) = self.logged_before.iter().find(|line| line.contains(what)) {
            return line.clone();
        }
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(10)).unwrap();
            if line.contains(what) {
                return line;
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn ask_udp(&self, request: &[u8]) -> Vec<u8> {
        ask_udp(self.dns[0], request)
    }

    pub fn ask_tcp(&self, requests: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut stream = TcpStream::connect(self.dns[0]).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let framed =
            requests.iter().flat_map(|one| [&u16::try_from(one.len()).unwrap().to_be_bytes(), one.as_slice()].concat());
        stream.write_all(&framed.collect::<Vec<u8>>()).unwrap();
        let read = |_| {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut reply).unwrap();
            reply
        };
        requests.iter().map(read).collect()
    }

    /// Status and body of an admin page.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.admin).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split_whitespace().nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    pub fn wait_ready(&self) {
        eventually("the server is ready", || self.get("/health/ready").0 == 200);
    }

    /// Asks it to stop as a supervisor would, and waits.
    pub fn stop(mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn ask_udp(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind(if address.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.send_to(request, address).unwrap();
    let mut reply = vec![0; 65_535];
    let (length, from) = socket.recv_from(&mut reply).unwrap();
    assert_eq!(from, address);
    reply.truncate(length);
    reply
}

/// Waits until something holds, or fails after ten seconds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
