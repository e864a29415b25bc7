//! Which of many alike lines are logged. Callers bring some of them about, and must not write the log as fast as they can call.
//!
//! In every ten seconds so many have a line each. What comes beyond is counted, and the count is told with the next one after these ten
//! seconds, or when the gate ends. While there is nothing to log, nothing is spent.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How long lines are counted together.
const WINDOW: Duration = Duration::from_secs(10);

/// Decides about the lines of one sort.
#[derive(Debug)]
pub(crate) struct Sparing {
    most: u32,
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    begun: Option<Instant>,
    told: u32,
    untold: u64,
}

/// What is to be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// This one has its line.
    pub(crate) itself: bool,
    /// So many before it had none, and that has not been said yet.
    pub(crate) untold: Option<u64>,
}

impl Sparing {
    /// So many in ten seconds have a line.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, window: Mutex::default() }
    }

    /// One more came up just now.
    pub(crate) fn ask(&self) -> Told {
        let (mut window, now) = (self.lock(), Instant::now());
        let is_over = window.begun.is_none_or(|begun| now.saturating_duration_since(begun) >= WINDOW);
        let before = if is_over { std::mem::replace(&mut *window, Window { begun: Some(now), ..Window::default() }).untold } else { 0 };
        let itself = window.told < self.most;
        window.told += u32::from(itself);
        window.untold += u64::from(!itself);
        Told { itself, untold: (before > 0).then_some(before) }
    }

    /// How many have not been told of yet; from now on they have.
    pub(crate) fn rest(&self) -> Option<u64> {
        let untold = std::mem::take(&mut self.lock().untold);
        (untold > 0).then_some(untold)
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        // A panic in here leaves counts that are off by one at most.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_have_a_line_and_the_rest_are_counted() {
        let sparing = Sparing::new(2);
        let mut told = String::new();
        for wait in [0, 0, 0, 0, 9_999, 1, 0, 0, 10_000, 20_000] {
            tokio::time::advance(Duration::from_millis(wait)).await;
            let Told { itself, untold } = sparing.ask();
            told += &format!("{}{} ", if itself { "line" } else { "-" }, untold.map(|untold| format!("+{untold}")).unwrap_or_default());
        }
        assert_eq!(told, "line line - - - line+3 line - line+1 line ");
        assert_eq!(sparing.rest(), None);
        assert_eq!((0..5).filter(|_| sparing.ask().itself).count(), 1);
        assert_eq!((sparing.rest(), sparing.rest()), (Some(4), None));
    }
}
