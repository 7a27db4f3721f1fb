//! A private Postgres is made, runs, is reached and ends, wherever its directory is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use private_postgres::{
    Cluster, Login, Purpose, RunningCluster, processes_in_directory, socket_directory, who_runs_postgres,
};

/// A directory of its own, gone with the value.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("private-postgres-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary directory takes directories");
        Self(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_dir_all(&self.0);
    }
}

fn owner() -> Login {
    Login { name: "holdfast".to_owned(), password: "it's \"secret\"/@:?#".to_owned() }
}

fn start(home: &Path) -> RunningCluster {
    let user = who_runs_postgres().expect("somebody runs it");
    let sockets = socket_directory(&home.join("sockets"), user.as_ref()).expect("a place for the socket");
    let cluster = Cluster::at(&home.join("postgres"), &sockets).expect("an installation");
    if !cluster.exists() {
        cluster.create(&owner(), Purpose::Throwaway).expect("the cluster is made");
    }
    RunningCluster::start(cluster, &home.join("log")).expect("it starts")
}

fn ask(url: &str, question: &str) -> String {
    let answer = Command::new("psql").args(["-X", "-A", "-t", "-d", url, "-c", question]).output().expect("psql runs");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8_lossy(&answer.stdout).trim().to_owned()
}

fn lives_a_whole_life(home: &Path) {
    let running = start(home);
    let url = running.cluster().url(&owner(), "holdfast");
    assert_eq!(ask(&url, "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"), "f|t");
    assert_eq!(ask(&running.cluster().superuser_url("postgres"), "SHOW listen_addresses"), "");
    assert_eq!(ask(&url, "CREATE TABLE kept AS SELECT 42 AS value; TABLE kept"), "SELECT 1\n42");
    drop(running);
    assert!(processes_in_directory(&home.join("postgres")).is_empty());

    let again = start(home);
    assert_eq!(ask(&again.cluster().url(&owner(), "holdfast"), "TABLE kept"), "42");
}

#[test]
fn it_lives_in_a_directory_that_everybody_can_reach() {
    let home = Home::new("open");
    open_to_all(&home.0, 0o711);
    lives_a_whole_life(&home.0);
}

#[test]
fn it_lives_behind_a_directory_that_its_user_may_not_pass() {
    let wall = Home::new("walled");
    open_to_all(&wall.0, 0o700);
    let home = wall.0.join("home");
    std::fs::create_dir(&home).expect("it is ours");
    open_to_all(&home, 0o711);
    lives_a_whole_life(&home);
}

#[test]
fn after_its_first_process_was_killed_it_starts_again() {
    let home = Home::new("killed");
    open_to_all(&home.0, 0o711);
    let running = start(&home.0);
    private_postgres::signal(running.pid(), private_postgres::Signal::KILL);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !processes_in_directory(&home.0.join("postgres")).is_empty() {
        assert!(Instant::now() < deadline, "what it left behind ends by itself");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(running);
    let again = start(&home.0);
    assert_eq!(ask(&again.cluster().url(&owner(), "holdfast"), "SELECT 1"), "1");
}

fn open_to_all(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
}
