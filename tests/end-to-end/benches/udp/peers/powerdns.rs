//! PowerDNS, out of a Postgres of its own: what an answer costs where each is looked up in the database.

use super::Peer;
use crate::contents::Contents;
use crate::cpu;
use crate::echo::free_address;
use private_postgres::{Cluster, Login, Purpose, RunningCluster, socket_directory, who_runs_postgres};
use std::fs;
use std::io::{BufWriter, Write as _};
use std::process::{Command, Stdio};

/// The server, as Debian's package `pdns-server` has it.
pub(super) const PROGRAM: &str = "/usr/sbin/pdns_server";

/// The part of the back end's schema that answering asks for.
const SCHEMA: &str = "
create table domains (id serial primary key, name text not null unique, master text, last_check int, type text not null,
                      notified_serial bigint, account text, options text, catalog text);
create table records (id bigserial primary key, domain_id int, name text, type text, content text, ttl int, prio int,
                      disabled boolean default false, ordername text, auth boolean default true);
create table domainmetadata (id serial primary key, domain_id int, kind text, content text);
create table cryptokeys (id serial primary key, domain_id int, flags int not null, active boolean, published boolean default true, content text);
create table tsigkeys (id serial primary key, name text, algorithm text, secret text);
create table comments (id serial primary key, domain_id int, name text, type text, modified_at int, account text, comment text);
create table supermasters (ip inet not null, nameserver text not null, account text not null, primary key (ip, nameserver));
";
/// What is made once the rows are there.
const INDEXES: &str = "
create index on records (name, type);
create index on records (domain_id);
create index on records (domain_id, ordername text_pattern_ops);
create index on domainmetadata (domain_id);
create index on cryptokeys (domain_id);
analyze domains, records;
";

/// Starts it with its database, both on one core.
pub(super) fn start(contents: &Contents, core: usize) -> Peer {
    let folder = tempfile::Builder::new().prefix("holdfast-bench-").tempdir().unwrap();
    let user = who_runs_postgres().unwrap();
    let sockets = socket_directory(&folder.path().join("sockets"), user.as_ref()).unwrap();
    let owner = Login { name: "pdns".to_owned(), password: "pdns".to_owned() };
    let cluster = Cluster::at(&folder.path().join("postgres"), &sockets).unwrap();
    cluster.create(&owner, Purpose::Throwaway).unwrap();
    let postgres = RunningCluster::start(cluster, &folder.path().join("postgres.log")).unwrap();
    // The owner has a database of the same name.
    fill(&postgres.cluster().url(&owner, "pdns"), contents);
    // Connections that are made from here on inherit it.
    cpu::pin(postgres.pid(), core);

    let address = free_address();
    let file = folder.path().join("pdns.conf");
    let (home, port, sockets) = (folder.path().display(), address.port(), postgres.cluster().sockets().display());
    let settings = format!(
        "launch=gpgsql\ngpgsql-host={sockets}\ngpgsql-user=pdns\ngpgsql-password=pdns\ngpgsql-dbname=pdns\ngpgsql-dnssec=no\n\
         local-address=127.0.0.1\nlocal-port={port}\nsocket-dir={home}\nreceiver-threads=1\ndistributor-threads=1\ndaemon=no\nguardian=no\n\
         security-poll-suffix=\nloglevel=0\n"
    );
    fs::write(&file, settings).unwrap();
    let mut command = cpu::on_core(core, PROGRAM);
    command.arg(format!("--config-dir={home}"));
    let mut peer = Peer::start(command, address, None);
    peer.pids.push(postgres.pid());
    peer.behind = Some((postgres, folder));
    peer
}

/// Makes the tables, and fills them by `psql`.
fn fill(url: &str, contents: &Contents) {
    let mut psql = Command::new("psql")
        .args(["-qX", "-v", "ON_ERROR_STOP=1", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut rows = BufWriter::new(psql.stdin.take().unwrap());
    write!(rows, "{SCHEMA}\ncopy domains (id, name, type) from stdin;\n").unwrap();
    let bare = |zone: usize| contents.zone(zone).trim_end_matches('.').to_owned();
    for zone in 0..contents.zones {
        writeln!(rows, "{}\t{}\tNATIVE", zone + 1, bare(zone)).unwrap();
    }
    write!(rows, "\\.\ncopy records (domain_id, name, type, content, ttl) from stdin;\n").unwrap();
    for zone in 0..contents.zones {
        let (id, name) = (zone + 1, bare(zone));
        writeln!(rows, "{id}\t{name}\tSOA\tns1.{name} hostmaster.{name} 1 3600 900 604800 300\t300").unwrap();
        writeln!(rows, "{id}\t{name}\tNS\tns1.{name}\t300").unwrap();
        writeln!(rows, "{id}\tns1.{name}\tA\t192.0.2.1\t300").unwrap();
        for number in 0..contents.names_each {
            writeln!(rows, "{id}\t{}.{name}\tA\t{}\t300", contents.name(number), contents.value(number)).unwrap();
        }
    }
    write!(rows, "\\.\n{INDEXES}").unwrap();
    rows.flush().unwrap();
    drop(rows);
    assert!(psql.wait().unwrap().success(), "psql could not fill PowerDNS's database");
}
