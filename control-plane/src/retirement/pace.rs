//! How large steps are, and how long nobody works between two of them.

use std::future::Future;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The smallest step: less would be mostly overhead.
const ROWS_MIN: i32 = 50;

/// Makes steps smaller when they take long, and rests in proportion to the work: a database that has much to do makes
/// steps slow, and so the rests long.
#[derive(Debug)]
pub struct Pace {
    rows: AtomicI32,
    rows_max: i32,
    step: Duration,
    pause: Duration,
    rest: u32,
}

impl Pace {
    /// Steps of at most so many rows that take about `step`, each followed by a rest of `rest` times what it took and at
    /// least `pause`.
    #[must_use]
    pub fn new(rows_max: i32, step: Duration, pause: Duration, rest: u32) -> Self {
        Self { rows: AtomicI32::new(rows_max.min(500)), rows_max, step, pause, rest }
    }

    /// How many rows the next step is to look at.
    #[must_use]
    pub fn rows(&self) -> i32 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Takes a step, and rests.
    pub async fn step<T>(&self, step: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let done = step.await;
        let took = began.elapsed();
        self.rows.store(self.next(self.rows(), took), Ordering::Relaxed);
        tokio::time::sleep(self.rest(took)).await;
        done
    }

    fn rest(&self, took: Duration) -> Duration {
        took.saturating_mul(self.rest).max(self.pause)
    }

    fn next(&self, rows: i32, took: Duration) -> i32 {
        let next = if took > self.step {
            rows / 2
        } else if took < self.step / 2 {
            rows.saturating_add(rows / 4)
        } else {
            rows
        };
        next.clamp(ROWS_MIN.min(self.rows_max), self.rows_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_steps_become_smaller_and_quick_ones_larger() {
        let pace = Pace::new(1_000, Duration::from_millis(40), Duration::ZERO, 3);
        assert_eq!(pace.rows(), 500);
        assert_eq!(pace.next(500, Duration::from_millis(90)), 250);
        assert_eq!(pace.next(60, Duration::from_secs(1)), ROWS_MIN);
        assert_eq!(pace.next(800, Duration::from_millis(10)), 1_000);
        assert_eq!(pace.next(900, Duration::from_millis(30)), 900);
        assert_eq!(Pace::new(1, Duration::ZERO, Duration::ZERO, 0).next(1, Duration::from_secs(1)), 1);
    }

    #[test]
    fn a_rest_is_as_long_as_the_work_times_so_much() {
        let pace = Pace::new(100, Duration::from_secs(9), Duration::from_millis(5), 3);
        assert_eq!(pace.rest(Duration::from_secs(2)), Duration::from_secs(6));
        assert_eq!(pace.rest(Duration::from_millis(1)), Duration::from_millis(5));
    }
}
