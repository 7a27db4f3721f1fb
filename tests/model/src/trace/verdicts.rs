//! What the model says to a line. Each objection is a promise that was broken, or a move that nothing led to.

use super::told::{HeadMove, OfGroup, Span, Told};
use move_trace::{At, Line, Move, Role, When};
use zone_model::{GENERATIONS_PER_EPOCH, Generation, Id};

/// All that is wrong with it.
pub(super) fn judge(told: &Told, number: usize, line: &Line) -> Vec<String> {
    let nothing = OfGroup::default();
    let of = |group: &String| told.groups.get(group).unwrap_or(&nothing);
    if line.when != When::About && line.of.is_some() && !told.about.contains_key(&number) {
        return vec!["the line that it refers to is not there".to_owned()];
    }
    match (&line.what, line.when) {
        (_, When::Without) => Vec::new(),
        (Move::Admit { group, base, to, .. }, _) => admitted(told, of(group), number, line.when, *base, to),
        // Whatever a person asks for, the database judges; what it lets through is judged here.
        (Move::MoveHead { by_hand: true, .. }, When::About) => Vec::new(),
        (Move::MoveHead { group, ring, role, head, to, .. }, when) => {
            let mut all = vec![led_to(of(group), number, group, to)];
            all.push(forward(head.as_ref(), to, "the head moves"));
            if let (When::About, Some((line, before)), Some(head)) = (when, told.before.get(&number), head)
                && told.era(*line) == told.era(number)
            {
                let fell = before.generation > head.generation;
                all.push(fell.then(|| {
                    format!("the head has fallen: it was {}, and is read as {}", before.generation, head.generation)
                }));
            }
            if *role == Role::Later && head.is_some() {
                all.push(proved(of(group), number, to));
            }
            if when == When::Done {
                let span = of(group).moves.iter().find(|one| one.span.done == Some(number)).map(|one| one.span);
                all.push(failed_before(told, of(group), span, to));
                all.push(frozen(told, of(group), span, group, ring, to));
            }
            all.into_iter().flatten().collect()
        }
        (Move::Judge { generation, passed: true, group }, _) => {
            let moved = of(group).moves.iter().any(|one| one.to.generation == *generation && one.span.about < number);
            (!moved).then(|| format!("generation {generation} passed, and no ring had it")).into_iter().collect()
        }
        (Move::RaiseFloor { group, floor }, when) => floor_raised(told, of(group), number, when, *floor),
        (Move::Install { group, ring, from, to }, _) => {
            let mut all = vec![led_to(of(group), number, group, to), forward(from.as_ref(), to, "the server goes")];
            all.push(from.as_ref().and_then(|from| fork(told, of(group), from, to)));
            if told.before.get(&number).is_some_and(|(_, before)| Some(before) != from.as_ref()) {
                all.push(Some("the server held something else before, by its own account".to_owned()));
            }
            let head_moves = of(group).moves.iter().filter(|one| one.ring == *ring && one.to == *to);
            let moves: Vec<&HeadMove> = head_moves.filter(|one| one.span.about < number).collect();
            all.push(
                moves
                    .is_empty()
                    .then(|| format!("nobody moved the head of ring {ring} to generation {}", to.generation)),
            );
            all.into_iter().flatten().collect()
        }
        (Move::Begin, _) if line.number != 1 => vec!["a run begins twice".to_owned()],
        (
            Move::Begin
            | Move::Restore
            | Move::Judge { .. }
            | Move::Freeze { .. }
            | Move::Thaw { .. }
            | Move::EndRing { .. },
            _,
        ) => Vec::new(),
    }
}

fn admitted(told: &Told, of: &OfGroup, number: usize, when: When, base: i64, to: &At) -> Vec<String> {
    let mut all = Vec::new();
    if base >= to.generation {
        all.push(format!("generation {} is based on {base}, which is not below it", to.generation));
    }
    if when == When::Done {
        let era = of.admissions.iter().find(|one| one.span.done == Some(number)).and_then(|one| told.era_of(one.span));
        let same_number = of.admissions.iter().filter(|one| {
            one.at.generation == to.generation && one.span.done.is_some() && told.era_of(one.span) == era
        });
        if era.is_some() && same_number.clone().any(|one| one.at.id != to.id) {
            all.push(format!("generation {} is two things: the same number with another id", to.generation));
        } else if era.is_some() && same_number.count() > 1 {
            all.push(format!("generation {} was admitted twice", to.generation));
        }
        let begins = of.admissions.iter().map(|one| one.at.generation).min() == Some(to.generation);
        let raised = to.generation % GENERATIONS_PER_EPOCH == 0;
        let parent = of.admissions.iter().any(|one| one.at.generation == to.generation - 1 && one.span.about < number);
        if !begins && !raised && !parent {
            all.push(format!("generation {} follows none: {} was not admitted", to.generation, to.generation - 1));
        }
    }
    all
}

/// Whoever moves or installs has read the generation, so somebody was about to admit it before.
fn led_to(of: &OfGroup, number: usize, group: &str, to: &At) -> Option<String> {
    let admitted = of.admissions.iter().any(|one| one.at == *to && one.span.about < number);
    (!admitted).then(|| format!("generation {} of group {group} was never admitted with that id", to.generation))
}

/// Judged by numbers alone, and not by the code that the programs judge by: a fault there would be none here.
fn forward(from: Option<&At>, to: &At, who: &str) -> Option<String> {
    for at in from.into_iter().chain([to]) {
        if Generation::new(at.generation).is_none() || Id::parse(&at.id).is_none() {
            return Some(format!("{at:?} is no generation"));
        }
    }
    let from = from?;
    match (from.generation, to.generation) {
        (before, after) if before < after => None,
        (before, after) if before > after => Some(format!("{who} back, from {before} to {after}")),
        (same, _) if from.id == to.id => Some(format!("{who} from {same} to where it is")),
        (same, _) => Some(format!("{who} from {same} to another {same}: a fork")),
    }
}

/// Within an epoch a server stays on the line of what it holds: where the database that had `to` admitted has another generation
/// under the number of `from`, that is another line.
fn fork(told: &Told, of: &OfGroup, from: &At, to: &At) -> Option<String> {
    if from.generation / GENERATIONS_PER_EPOCH != to.generation / GENERATIONS_PER_EPOCH {
        return None;
    }
    let era = of.admissions.iter().filter(|one| one.at == *to).find_map(|one| told.era_of(one.span))?;
    let mut others = of.admissions.iter().filter(|one| one.at.generation == from.generation && one.at.id != from.id);
    others.any(|one| told.era_of(one.span) == Some(era)).then(|| {
        format!("the server goes from {} to {} of a history with another {0}: a fork", from.generation, to.generation)
    })
}

fn proved(of: &OfGroup, number: usize, to: &At) -> Option<String> {
    let passed = of
        .verdicts
        .iter()
        .any(|(number_of, passed, span)| *number_of == to.generation && *passed && span.about < number);
    (!passed).then(|| format!("a later ring goes to generation {}, which has not passed", to.generation))
}

fn failed_before(told: &Told, of: &OfGroup, span: Option<Span>, to: &At) -> Option<String> {
    let span = span?;
    let era = told.era_of(span)?;
    let failed = of.verdicts.iter().filter(|(number, passed, _)| *number == to.generation && !passed);
    let failed = failed.filter(|(.., verdict)| told.era_of(*verdict) == Some(era));
    let before = failed.filter_map(|(.., verdict)| verdict.done).any(|done| done < span.about);
    before.then(|| format!("generation {} had failed before the head moved there", to.generation))
}

fn frozen(told: &Told, of: &OfGroup, span: Option<Span>, group: &str, ring: &str, to: &At) -> Option<String> {
    let span = span?;
    let era = told.era_of(span)?;
    if of.admissions.iter().any(|one| one.at == *to && one.through_freeze) {
        return None;
    }
    let covers = |name: &Option<String>, one: &str| name.as_ref().is_none_or(|name| name == one);
    let mut stops = told.stops.iter().filter(|stop| covers(&stop.group, group) && covers(&stop.ring, ring));
    let within = stops.find(|stop| {
        // A stop that the backup did not have is gone.
        let in_force = told.era(stop.since) == era;
        in_force && stop.since < span.about && span.done.is_some_and(|done| done < stop.until)
    })?;
    let since = within.since;
    Some(format!("the head moves after a freeze was acknowledged (line {since}), and before it was thawed"))
}

/// Judged when it has risen: one that the database refused is none, and who reads heads and floors reads them at different times.
fn floor_raised(told: &Told, of: &OfGroup, number: usize, when: When, floor: i64) -> Vec<String> {
    let mut all = Vec::new();
    if !of.admissions.iter().any(|one| one.at.generation == floor && one.span.about < number) {
        all.push(format!("the floor {floor} is no generation that was admitted"));
    }
    if when != When::Done {
        return all;
    }
    let before = of.floors.iter().filter(|(_, span)| span.done.is_some_and(|done| done < number));
    let mut before = before.filter(|(_, span)| told.era_of(*span) == Some(told.era(number)));
    if before.any(|(before, _)| *before > floor) {
        all.push(format!("the floor falls to {floor}"));
    }
    let has_ended = |ring: &String| told.ended.iter().any(|(ended, about)| ended == ring && *about < number);
    let mut rings: Vec<&String> = of.moves.iter().map(|one| &one.ring).filter(|ring| !has_ended(ring)).collect();
    rings.sort();
    rings.dedup();
    for ring in rings {
        let before = of.moves.iter().filter(|one| one.ring == *ring && one.span.about < number);
        let head = before.map(|one| one.to.generation).max();
        if head.is_some_and(|head| head < floor) {
            all.push(format!("the floor {floor} is above the head of ring {ring}, which is {}", head.unwrap_or(0)));
        }
    }
    all
}
