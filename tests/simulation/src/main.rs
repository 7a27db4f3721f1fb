//! `simulation`: runs schedules from seeds, one after the other, and stops at the first that breaks a promise.

use clap::Parser;
use simulation::{Fault, Figures, Template, run};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often it says how far it is.
const SAYS_EVERY: Duration = Duration::from_secs(10);

/// Holdfast as a whole in one thread, with every fault that a seed can bring; checkers look at what is visible.
#[derive(Debug, Parser)]
#[command(name = "simulation")]
struct Arguments {
    /// How many schedules to run.
    #[arg(long, default_value_t = 10_000)]
    schedules: u64,
    /// The seed of the first schedule; each further one has the next number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print what happens, move by move.
    #[arg(long)]
    trace: bool,
    /// Break the world on purpose, to see it found.
    #[arg(long, value_parser = fault, value_name = "FAULT", long_help = faults())]
    fault: Option<Fault>,
}

fn fault(text: &str) -> Result<Fault, String> {
    Fault::parse(text).ok_or_else(faults)
}

fn faults() -> String {
    let all: Vec<&str> = Fault::ALL.iter().map(|fault| fault.as_str()).collect();
    format!("Break the world on purpose, to see it found. One of: {}", all.join(", "))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let interrupted = Arc::new(AtomicBool::new(false));
    listen_for_ctrl_c(Arc::clone(&interrupted));
    let template = Template::default();
    let (began, mut said) = (Instant::now(), Instant::now());
    let mut figures = Figures::default();
    for nth in 0..arguments.schedules {
        let seed = arguments.seed.wrapping_add(nth);
        let ended = run(&template, seed, arguments.fault, arguments.trace);
        ended.trace.iter().for_each(|line| println!("{line}"));
        figures.take_in(&ended.figures);
        if let Some(broken) = ended.broken {
            println!(
                "\nseed {seed} breaks a promise: {broken}\nTo see it move by move:\n  {}",
                replay(seed, arguments.fault)
            );
            sum(&figures, began);
            return ExitCode::FAILURE;
        }
        if said.elapsed() >= SAYS_EVERY {
            said = Instant::now();
            let rate = (nth + 1) as f64 / began.elapsed().as_secs_f64();
            println!("{:>9} schedules, {rate:.0} a second, up to seed {seed}", nth + 1);
        }
        if interrupted.load(Ordering::Relaxed) {
            println!("interrupted");
            break;
        }
    }
    sum(&figures, began);
    println!("no promise was broken");
    ExitCode::SUCCESS
}

fn replay(seed: u64, fault: Option<Fault>) -> String {
    let fault = fault.map(|fault| format!(" --fault {fault}")).unwrap_or_default();
    format!("cargo run --release -p simulation -- --seed {seed} --schedules 1 --trace{fault}")
}

fn sum(figures: &Figures, began: Instant) {
    let took = began.elapsed().as_secs_f64();
    let rate = figures.of("schedules") as f64 / took;
    println!("\n{figures}\n{took:.1} s, {rate:.0} schedules a second");
}

/// Sets the flag at the first Ctrl-C; the second ends the program at once.
fn listen_for_ctrl_c(interrupted: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if interrupted.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
            }
        });
    });
}
