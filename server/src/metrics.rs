//! `/metrics`: everything that is counted, added up when somebody asks. What each means, and what to wake somebody for, stands in
//! `docs/operations/metrics.md`.

mod families;

use crate::admin::Admin;
use crate::counters::{Counters, Of, RCODE_NAMES, SIZES, TIMES, TYPE_NAMES};
use families::Families;
use std::sync::Arc;

/// Nanoseconds in a second.
const NANOSECONDS: f64 = 1e9;

/// All metrics at this moment.
///
/// # Errors
/// They cannot be told.
pub fn text(admin: &Admin) -> prometheus::Result<String> {
    let mut families = Families::default();
    traffic(&mut families, &admin.counters.all());
    connections(&mut families, &admin.counters.all());
    installs(&mut families, admin);
    state(&mut families, admin);
    families.into_text()
}

type All = [(Of, Arc<Counters>)];

fn traffic(families: &mut Families, all: &All) {
    let queries = all.iter().flat_map(|(of, counters)| {
        let labels = |rtype| [("family", of.family), ("transport", of.transport), ("type", rtype)];
        TYPE_NAMES.into_iter().zip(counters.queries()).map(move |(rtype, count)| (labels(rtype), count))
    });
    // The usual types from the start, the rest once met.
    let queries = queries.filter(|([.., (_, rtype)], count)| *count > 0 || ["A", "AAAA", "other"].contains(rtype));
    families.counters(("queries_total", "Requests that were answered or limited, by what they asked for."), queries);

    let replies = all.iter().flat_map(|(of, counters)| {
        let labels = |rcode| [("rcode", rcode), ("transport", of.transport)];
        RCODE_NAMES.into_iter().zip(counters.replies()).map(move |(rcode, count)| (labels(rcode), count))
    });
    // All codes of RFC 1035 from the start, the rest once met.
    let replies = replies.filter(|([(_, rcode), _], count)| *count > 0 || !rcode.starts_with("RCODE"));
    families.counters(("replies_total", "Replies, by transport and code."), replies);

    let of_udp = || all.iter().filter(|(of, _)| of.transport == "udp");
    let truncated = all.iter().map(|(of, counters)| ([("transport", of.transport)], counters.truncated.get()));
    families.counters(("truncated_total", "Replies that say that something is missing (TC)."), truncated);
    let slipped = of_udp().map(|(_, counters)| ([], counters.slipped.get()));
    families.counters(("slipped_total", "Replies truncated by the rate limit; among the truncated ones."), slipped);
    let unanswerable = all.iter().map(|(of, counters)| (of, "unanswerable", counters.dropped.get()));
    let others = of_udp().flat_map(|(of, counters)| {
        [
            (of, "forbidden-port", counters.dropped_port.get()),
            (of, "rate-limited", counters.dropped_limited.get()),
            (of, "slow-path-full", counters.dropped_slow.get()),
        ]
    });
    let dropped = unanswerable.chain(others);
    let dropped = dropped.map(|(of, reason, count)| ([("reason", reason), ("transport", of.transport)], count));
    families.counters(("dropped_total", "Requests answered by silence, and why."), dropped);
    let errors = all.iter().map(|(of, counters)| ([("transport", of.transport)], counters.socket_errors.get()));
    families.counters(("socket_errors_total", "Errors on receiving, accepting or sending."), errors);

    let sizes = all
        .iter()
        .map(|(of, counters)| ([("transport", of.transport)], (counters.sizes.counts(), counters.sizes.sum() as f64)));
    families.histograms(("reply_size_bytes", "How long replies were."), &SIZES.map(|size| size as f64), sizes);
    let times = all.iter().map(|(of, counters)| {
        ([("transport", of.transport)], (counters.times.counts(), counters.times.sum() as f64 / NANOSECONDS))
    });
    families.histograms(
        ("answer_duration_seconds", "From receive to send, of one batch of datagrams or one question over TCP in 128."),
        &TIMES.map(|time| time as f64 / NANOSECONDS),
        times,
    );
}

fn connections(families: &mut Families, all: &All) {
    let of_tcp = || all.iter().filter(|(of, _)| of.transport == "tcp").map(|(_, counters)| counters);
    let accepted = of_tcp().map(|counters| ([("outcome", "accepted")], counters.accepted.get()));
    let rejected = of_tcp().map(|counters| ([("outcome", "rejected")], counters.rejected.get()));
    families.counters(("tcp_connections_total", "TCP connections, by what became of them."), accepted.chain(rejected));
    let open = of_tcp().map(|counters| ([], counters.open.get() as f64));
    families.gauges(("tcp_connections", "TCP connections that are open."), open);
}

fn installs(families: &mut Families, admin: &Admin) {
    let outcomes = admin.status.outcomes().into_iter().chain([("installed", 0)]);
    let outcomes = outcomes.map(|(outcome, count)| ([("outcome", outcome)], count));
    families.counters(("installs_total", "Heads looked at, by what became of them."), outcomes);
    let refusals = admin.status.refusals();
    let refused = refusals.iter().map(|one| ([("group", &*one.name), ("outcome", one.why.as_str())], 1.0));
    families.gauges(("group_refused", "Groups whose head is refused at present, and why."), refused);
    let without_head = admin.status.without_head().len();
    families
        .gauge(("groups_without_head", "Groups that are served and have no head in the ring."), without_head as f64);
    families.gauge(("ring_heads", "Groups that have a head in the ring."), admin.status.heads() as f64);
    // More than any threshold, and not less, while there never was a list.
    let age = admin.status.since_heads_read().map_or(f64::INFINITY, |since| since.as_secs_f64());
    let help =
        "How old what is served may be: since the ring's list of heads was last read; +Inf before the first time.";
    families.gauge(("snapshot_age_seconds", help), age);
}

fn state(families: &mut Families, admin: &Admin) {
    let directory = admin.directory.load_full();
    let generations = directory.groups().map(|(_, group)| {
        let generation = group.version.generation.get();
        ([("group", &*group.name)], generation as f64)
    });
    families.gauges(("group_generation", "The generation that is served."), generations);
    families.gauge(("zones", "Zones that are served."), directory.zone_count() as f64);
    let is = |holds: bool| f64::from(u8::from(holds));
    families.gauge(("ready", "1 once there is data to answer from that nobody is known to have newer."), {
        is(admin.health().is_ready())
    });
    let source = admin.health().source();
    families.gauge(("serving_from_disk", "1 while nothing but the local disk says what is served."), {
        is(source == Some("disk"))
    });
    if let Some(disk) = &admin.disk {
        let writes = [([("outcome", "written")], disk.written()), ([("outcome", "failed")], disk.failed())];
        families
            .counters(("disk_writes_total", "Groups written to the snapshot on disk, by what became of it."), writes);
        let behind = disk.behind(&directory);
        families.gauge(("disk_groups_behind", "Groups that are not on disk as they are served."), behind as f64);
    }
}
