//! Holdfast with the zones, as shipped, with a rate limit that is never reached; its server on one core.

use crate::contents::Contents;
use crate::cpu;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use test_support::{Holdfast, Options};

/// Clients that post zones side by side.
const CLIENTS: usize = 8;

/// A Holdfast that serves them.
pub(crate) struct Served(Holdfast);

impl Served {
    /// Starts it, and posts the zones.
    pub(crate) fn start(contents: &Contents, core: usize) -> Self {
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let variables = vec![
            variable("HOLDFAST_UDP_SOCKETS", "1"),
            variable("HOLDFAST_UDP_PINNED", "false"),
            variable("HOLDFAST_RRL_PER_SECOND", "1000000"),
        ];
        let holdfast = Holdfast::start_with(Options { untraced: true, variables, ..Options::default() });
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS.min(contents.zones) {
                scope.spawn(|| {
                    loop {
                        let zone = next.fetch_add(1, Ordering::Relaxed);
                        if zone >= contents.zones {
                            break;
                        }
                        let name = contents.zone(zone);
                        // The last one waits, and the others are served by then or soon after.
                        let wait = if zone + 1 == contents.zones { "&wait=served&timeout_s=60" } else { "" };
                        let path = format!("/v1/groups/g{zone}/import?zone={name}&base=0{wait}");
                        let answer = holdfast.post_text(&path, &contents.text(zone));
                        assert_eq!(answer.status, 201, "{}", answer.body);
                    }
                });
            }
        });
        let served = Self(holdfast);
        while served.zones() < contents.zones {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        cpu::pin(served.pid(), core);
        served
    }

    /// The programs.
    #[allow(dead_code, reason = "every benchmark takes what it needs")]
    pub(crate) const fn holdfast(&self) -> &Holdfast {
        &self.0
    }

    fn zones(&self) -> usize {
        let metrics = self.0.get_admin("/metrics").map_or_else(String::new, |answer| answer.body);
        let count = metrics.lines().find_map(|line| line.strip_prefix("holdfast_server_zones "));
        count.map_or(0, |count| count.parse::<f64>().unwrap() as usize)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.pid("server").unwrap()
    }

    pub(crate) fn dns(&self) -> SocketAddr {
        self.0.dns()
    }
}
