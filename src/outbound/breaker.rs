//! A breaker: after five failures within half a minute, when no more calls than these were answered, a server
//! is not called for half a minute, so that who asks is answered at once and the server can recover. Then
//! one call tries whether it has.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many failures…
const FAILURES: usize = 5;
/// … within this time open it.
const WITHIN: Duration = Duration::from_secs(30);
/// So many ends of calls are looked at, the latest ones.
const LOOKED_AT: usize = 256;
/// For how long.
const OPEN: Duration = Duration::from_secs(30);

/// The breaker of one server.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When calls ended, and whether they failed; the latest ones.
    ended: VecDeque<(Instant, bool)>,
    open_until: Option<Instant>,
    /// One call tries whether the server is back.
    trying: bool,
}

/// How a call ended, as a breaker sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The server answered, whatever it said.
    Answered,
    /// It did not answer, or said that it is broken.
    Failed,
    /// Nobody waited for it.
    Abandoned,
}

/// A call that may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// As any other.
    Usual,
    /// It tries whether the server is back.
    Trial,
}

impl Breaker {
    /// Whether a call may be made at `now`; else how long not. A call that may must tell how it ended.
    pub(super) fn admit(&self, now: Instant) -> Result<Admission, Duration> {
        let mut state = self.state();
        match state.open_until {
            None => Ok(Admission::Usual),
            Some(until) if now < until => Err(until - now),
            Some(_) if state.trying => Err(Duration::from_secs(1)),
            Some(_) => {
                state.trying = true;
                Ok(Admission::Trial)
            }
        }
    }

    /// How long no call may be made, asked by one who makes none.
    pub(super) fn closed_for(&self, now: Instant) -> Option<Duration> {
        let state = self.state();
        let until = state.open_until?;
        if state.trying {
            return Some(Duration::from_secs(1));
        }
        until
            .checked_duration_since(now)
            .filter(|left| !left.is_zero())
    }

    /// Notes how a call ended. What began before the breaker opened says nothing new once it is open.
    pub(super) fn note(&self, admission: Admission, ending: Ending, now: Instant) {
        let mut state = self.state();
        let trial = admission == Admission::Trial;
        if state.open_until.is_some() && !trial {
            return;
        }
        if ending == Ending::Abandoned {
            state.trying &= !trial;
            return;
        }
        if trial && ending == Ending::Answered {
            *state = State::default();
            return;
        }
        state.ended.push_back((now, ending == Ending::Failed));
        let old = |(at, _): &(Instant, bool)| now.duration_since(*at) > WITHIN;
        while state.ended.front().is_some_and(old) || state.ended.len() > LOOKED_AT {
            state.ended.pop_front();
        }
        let failures = state.ended.iter().filter(|(_, failed)| *failed).count();
        if trial || (failures >= FAILURES && failures * 2 >= state.ended.len()) {
            *state = State {
                open_until: Some(now + OPEN),
                ..State::default()
            };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Admission::{Trial, Usual};

    fn failing(times: usize, now: Instant) -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..times {
            assert_eq!(breaker.admit(now), Ok(Usual));
            breaker.note(Usual, Ending::Failed, now);
        }
        breaker
    }

    #[test]
    fn five_failures_open_it_for_half_a_minute() {
        let now = Instant::now();
        assert_eq!(failing(4, now).admit(now), Ok(Usual));
        let breaker = failing(5, now);
        assert_eq!(breaker.admit(now), Err(OPEN));
        assert_eq!(breaker.closed_for(now), Some(OPEN));
        assert_eq!(breaker.closed_for(now + OPEN), None);
        assert_eq!(breaker.admit(now + OPEN), Ok(Trial));
    }

    #[test]
    fn failures_long_ago_and_among_many_answers_do_not_count() {
        let now = Instant::now();
        let breaker = failing(4, now);
        breaker.note(Usual, Ending::Failed, now + WITHIN + Duration::from_secs(1));
        assert_eq!(breaker.admit(now), Ok(Usual));
        let breaker = Breaker::default();
        for _ in 0..20 {
            breaker.note(Usual, Ending::Answered, now);
        }
        for _ in 0..10 {
            breaker.note(Usual, Ending::Failed, now);
        }
        assert_eq!(
            breaker.admit(now),
            Ok(Usual),
            "it answers more than it fails"
        );
        // One page that hangs beside one that answers is half of all.
        let breaker = failing(4, now);
        breaker.note(Usual, Ending::Answered, now);
        breaker.note(Usual, Ending::Failed, now);
        assert_eq!(breaker.admit(now), Err(OPEN));
    }

    #[test]
    fn one_call_tries_whether_the_server_is_back() {
        let now = Instant::now();
        let breaker = failing(5, now);
        let later = now + OPEN;
        assert_eq!(breaker.admit(later), Ok(Trial));
        assert!(
            breaker.admit(later).is_err(),
            "a second one waits for the first"
        );
        // One that began long ago settles nothing.
        breaker.note(Usual, Ending::Answered, later);
        assert!(breaker.admit(later).is_err());
        breaker.note(Trial, Ending::Failed, later);
        assert_eq!(breaker.admit(later), Err(OPEN));
        let later = later + OPEN;
        assert_eq!(breaker.admit(later), Ok(Trial));
        breaker.note(Trial, Ending::Abandoned, later);
        assert_eq!(breaker.admit(later), Ok(Trial));
        breaker.note(Trial, Ending::Answered, later);
        assert_eq!(breaker.closed_for(later), None);
        assert_eq!(breaker.admit(later), Ok(Usual));
    }
}
