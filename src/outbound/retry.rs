//! Making a call, and making it again where that is safe: one that was certainly not sent, or one that
//! changes nothing.

use std::time::Duration;

use super::lane::{Callee, Way};
use super::{Failure, Outbound, OutboundError};

/// What a call does on the server, which says when it may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It makes something: made again where it certainly was not sent, four times in all.
    Creates,
    /// It changes nothing, or nothing more the second time: made again where it may pass, three times in all.
    Repeatable,
    /// It changes something: made once, whatever comes of it.
    Once,
}

impl Effect {
    fn tries(self) -> u32 {
        match self {
            Effect::Creates => 4,
            Effect::Repeatable => 3,
            Effect::Once => 1,
        }
    }

    fn may_repeat(self, failure: &Failure) -> bool {
        match self {
            Effect::Creates => failure.was_not_sent(),
            Effect::Repeatable => failure.is_passing(),
            Effect::Once => false,
        }
    }
}

impl Outbound {
    /// In the background what only reads is not asked again at once: whoever works there does so later.
    fn tries(&self, effect: Effect) -> u32 {
        match effect {
            Effect::Repeatable if self.in_background => 1,
            effect => effect.tries(),
        }
    }

    /// Makes a call when its turn comes, each try in a turn of its own. `method` names it in the metrics.
    pub(super) async fn in_turn<T, F>(
        &self,
        callee: impl Into<Callee>,
        method: &str,
        effect: Effect,
        call: impl Fn(Way) -> F,
    ) -> Result<T, OutboundError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let callee = callee.into();
        let mut tries = 0;
        loop {
            tries += 1;
            let turn = self.turn(&callee, method, effect).await?;
            let outcome = call(turn.way()).await;
            match turn.end(outcome) {
                Err(error) if tries < self.tries(effect) && effect.may_repeat(&error.failure) => {
                    tokio::time::sleep(jitter(tries)).await;
                }
                outcome => return outcome,
            }
        }
    }
}

/// Full jitter: from nothing to 0.4 s, doubled with each try, 5 s at most.
fn jitter(tries: u32) -> Duration {
    let longest = Duration::from_millis(200 << tries.min(5)).min(Duration::from_secs(5));
    // Without randomness it waits the longest.
    let part = getrandom::u32().unwrap_or(u32::MAX);
    longest.mul_f64(f64::from(part) / f64::from(u32::MAX))
}
