//! What the model says to a line. Each objection is a promise that was broken, or a move that nothing led to.

use super::told::{HeadMove, OfGroup, Span, Told};
use move_trace::{At, Line, Move, Role, When};
use zone_model::{Generation, Id, Succession, Version, succession};

/// All that is wrong with it.
pub(super) fn judge(told: &Told, number: usize, line: &Line) -> Vec<String> {
    let nothing = OfGroup::default();
    let of = |group: &String| told.groups.get(group).unwrap_or(&nothing);
    match (&line.what, line.when) {
        (_, When::Without) => Vec::new(),
        (Move::Admit { group, base, to, .. }, _) => admitted(of(group), number, line.when, *base, to),
        (Move::MoveHead { group, ring, role, head, to }, when) => {
            let mut all = vec![led_to(of(group), number, group, to)];
            all.push(forward(head.as_ref(), to, "the head moves"));
            if let (When::About, Some(before), Some(head)) = (when, told.before.get(&number), head) {
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
                all.push(failed_before(of(group), span, to));
                all.push(frozen(told, of(group), span, group, ring, to));
            }
            all.into_iter().flatten().collect()
        }
        (Move::Judge { generation, passed: true, group }, _) => {
            let moved = of(group).moves.iter().any(|one| one.to.generation == *generation && one.span.about < number);
            (!moved).then(|| format!("generation {generation} passed, and no ring had it")).into_iter().collect()
        }
        (Move::RaiseFloor { group, floor }, when) => floor_raised(of(group), number, when, *floor),
        (Move::Install { group, ring, from, to }, _) => {
            let mut all = vec![led_to(of(group), number, group, to), forward(from.as_ref(), to, "the server goes")];
            if told.before.get(&number).is_some_and(|before| Some(before) != from.as_ref()) {
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
        (Move::Judge { .. } | Move::Freeze { .. } | Move::Thaw { .. }, _) => Vec::new(),
    }
}

fn admitted(of: &OfGroup, number: usize, when: When, base: i64, to: &At) -> Vec<String> {
    let mut all = Vec::new();
    if base >= to.generation {
        all.push(format!("generation {} is based on {base}, which is not below it", to.generation));
    }
    if when == When::Done {
        let same_number =
            of.admissions.iter().filter(|one| one.at.generation == to.generation && one.span.done.is_some());
        if same_number.clone().any(|one| one.at.id != to.id) {
            all.push(format!("generation {} is two things: the same number with another id", to.generation));
        } else if same_number.count() > 1 {
            all.push(format!("generation {} was admitted twice", to.generation));
        }
        let begins = of.admissions.iter().map(|one| one.at.generation).min() == Some(to.generation);
        let raised = to.generation % zone_model::GENERATIONS_PER_EPOCH == 0;
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

fn forward(from: Option<&At>, to: &At, who: &str) -> Option<String> {
    let Some(to_version) = version(to) else { return Some(format!("{to:?} is no generation")) };
    let from_version = match from.map(version) {
        Some(None) => return Some(format!("{from:?} is no generation")),
        Some(from) => from,
        None => None,
    };
    let from_number = from.map_or(0, |from| from.generation);
    match succession(from_version, to_version) {
        Succession::Newer => None,
        Succession::Same => Some(format!("{who} from {from_number} to where it is")),
        Succession::Older => Some(format!("{who} back, from {from_number} to {}", to.generation)),
        Succession::Fork => Some(format!("{who} from {from_number} to another {from_number}: a fork")),
    }
}

fn version(at: &At) -> Option<Version> {
    Some(Version { generation: Generation::new(at.generation)?, id: Id::parse(&at.id)? })
}

fn proved(of: &OfGroup, number: usize, to: &At) -> Option<String> {
    let passed = of
        .verdicts
        .iter()
        .any(|(number_of, passed, span)| *number_of == to.generation && *passed && span.about < number);
    (!passed).then(|| format!("a later ring goes to generation {}, which has not passed", to.generation))
}

fn failed_before(of: &OfGroup, span: Option<Span>, to: &At) -> Option<String> {
    let span = span?;
    let failed = of.verdicts.iter().filter(|(number, passed, _)| *number == to.generation && !passed);
    let before = failed.filter_map(|(.., verdict)| verdict.done).any(|done| done < span.about);
    before.then(|| format!("generation {} had failed before the head moved there", to.generation))
}

fn frozen(told: &Told, of: &OfGroup, span: Option<Span>, group: &str, ring: &str, to: &At) -> Option<String> {
    let Span { about, done: Some(done) } = span? else { return None };
    if of.admissions.iter().any(|one| one.at == *to && one.through_freeze) {
        return None;
    }
    let covers = |name: &Option<String>, one: &str| name.as_ref().is_none_or(|name| name == one);
    let stop = told.stops.iter().filter(|stop| covers(&stop.group, group) && covers(&stop.ring, ring));
    let within = stop.filter(|stop| stop.since < about && done < stop.until).map(|stop| stop.since).next()?;
    Some(format!("the head moves after a freeze was acknowledged (line {within}), and before it was thawed"))
}

fn floor_raised(of: &OfGroup, number: usize, when: When, floor: i64) -> Vec<String> {
    let mut all = Vec::new();
    let lower = of.floors.iter().any(|(before, span)| *before > floor && span.done.is_some_and(|done| done < number));
    if lower && when == When::Done {
        all.push(format!("the floor falls to {floor}"));
    }
    if !of.admissions.iter().any(|one| one.at.generation == floor && one.span.about < number) {
        all.push(format!("the floor {floor} is no generation that was admitted"));
    }
    let mut rings: Vec<&String> = of.moves.iter().map(|one| &one.ring).collect();
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
