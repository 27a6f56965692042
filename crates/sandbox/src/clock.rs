//! The virtual clock: stands still, runs, or moves on with every request; knows no object.

use std::{
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

use crate::{Error, moment};

/// How virtual time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// It stands still until it is advanced.
    #[default]
    Fixed,
    /// A second a second.
    Running,
    /// So many seconds with every request for the platform.
    Step(u32),
}

impl FromStr for Pace {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let step = text.strip_prefix("step:").and_then(|seconds| seconds.parse().ok());
        match (text, step) {
            ("fixed", _) => Ok(Self::Fixed),
            ("running", _) => Ok(Self::Running),
            (_, Some(seconds)) => Ok(Self::Step(seconds)),
            _ => Err(Error::UnknownPace { text: text.to_owned() }),
        }
    }
}

impl std::fmt::Display for Pace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed => write!(out, "fixed"),
            Self::Running => write!(out, "running"),
            Self::Step(seconds) => write!(out, "step:{seconds}"),
        }
    }
}

/// The time of a sandbox; the machine's clock is looked at only while it runs.
#[derive(Debug)]
pub(crate) struct Clock {
    time: Mutex<Time>,
}

#[derive(Debug)]
struct Time {
    /// Unix seconds at `since`.
    at: i64,
    since: Instant,
    pace: Pace,
}

impl Time {
    fn now(&self) -> i64 {
        let elapsed = self.since.elapsed().as_secs();
        match self.pace {
            Pace::Running => self.at.saturating_add_unsigned(elapsed),
            Pace::Fixed | Pace::Step(_) => self.at,
        }
    }

    fn advance(&mut self, seconds: u64) {
        self.at = self.at.saturating_add_unsigned(seconds).min(moment::LAST);
    }
}

impl Clock {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { time: Mutex::new(Time { at: moment::START, since: Instant::now(), pace }) }
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> i64 {
        self.time().now()
    }

    pub(crate) fn pace(&self) -> Pace {
        self.time().pace
    }

    /// The time at which a request arrives, which is what moves a stepping clock.
    pub(crate) fn tick(&self) -> i64 {
        let mut time = self.time();
        if let Pace::Step(seconds) = time.pace {
            time.advance(seconds.into());
        }
        time.now()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.time().advance(seconds);
    }

    pub(crate) fn set_pace(&self, pace: Pace) {
        let mut time = self.time();
        *time = Time { at: time.now(), since: Instant::now(), pace };
    }

    /// Back to the start, with the pace as it is.
    pub(crate) fn reset(&self) {
        let mut time = self.time();
        *time = Time { at: moment::START, since: Instant::now(), pace: time.pace };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_running_clock_follows_the_machine_and_a_fixed_one_does_not() {
        let clock = Clock::new(Pace::Running);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(clock.now(), moment::START + 30);
        clock.set_pace(Pace::Fixed);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(clock.now(), moment::START + 30, "it stops where it was");
        clock.advance(5);
        assert_eq!(clock.now(), moment::START + 35);
    }

    #[tokio::test]
    async fn a_stepping_clock_moves_with_requests_only() {
        let clock = Clock::new("step:5".parse().unwrap());
        assert_eq!((clock.tick(), clock.now()), (moment::START + 5, moment::START + 5));
        assert_eq!(clock.pace().to_string(), "step:5");
        assert!("step:-1".parse::<Pace>().is_err());
    }
}
