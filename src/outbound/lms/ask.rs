//! One request to an LMS: in its turn in the LMS's lane, never redirected, read within its time and length. What
//! only reads is tried three times where it may pass, what changes something once.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::answer::said_in;
use super::failure::{LmsCode, LmsFailure};
use crate::domain::lms::Lms;
use crate::outbound::lane::{Callee, Way};
use crate::outbound::request::{Patience, Reply, sent};
use crate::outbound::retry::Effect;
use crate::outbound::{Failure, Outbound};

/// An answer is read to so many bytes: a course may have ten thousand people.
const LONGEST_ANSWER: usize = 16 << 20;
/// A wait that an LMS asks for counts up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What is sent.
#[derive(Debug)]
pub(super) struct Ask {
    /// Its name in the metrics.
    pub(super) name: &'static str,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) effect: Effect,
    /// Secrets of this call that are not those of the connection.
    pub(super) secrets: Vec<SecretString>,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// Nothing: a GET.
    Nothing,
    /// A POST of JSON.
    Json(serde_json::Value),
    /// A POST of a form.
    Form(Vec<(String, String)>),
}

/// What came back, with any status below 500 but 429 and those of redirects.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Ask {
    /// A call that reads.
    pub(super) fn reading(name: &'static str, url: Url, body: Body) -> Self {
        Self {
            name,
            url,
            headers: HeaderMap::new(),
            body,
            effect: Effect::Repeatable,
            secrets: Vec::new(),
        }
    }

    /// A call that changes something.
    pub(super) fn writing(name: &'static str, url: Url, body: Body) -> Self {
        Self {
            effect: Effect::Once,
            ..Self::reading(name, url, body)
        }
    }

    /// A header whose value is a secret.
    pub(super) fn secret_header(
        &mut self,
        name: HeaderName,
        value: &str,
    ) -> Result<(), LmsFailure> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            let words = "its key or token holds a character that no header can carry";
            LmsFailure::new(LmsCode::NotCallable, words)
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(())
    }

    /// What must not be seen of what the LMS says.
    pub(super) fn secrets<'a>(&'a self, lms: &'a Lms) -> Vec<&'a str> {
        let own = lms.api_token.iter();
        let client = lms.client.iter().map(|client| &client.secret);
        let all = own.chain(client).chain(&self.secrets);
        all.map(|secret| secret.expose_secret()).collect()
    }
}

impl Outbound {
    /// Asks an LMS.
    pub(super) async fn ask(&self, lms: &Lms, ask: &Ask) -> Result<Answer, LmsFailure> {
        self.let_alone(lms)?;
        let patience = self.lms_patience(lms);
        let callee = Callee::of_lms(lms, self.about.as_ref());
        let outcome = self
            .in_turn(callee, ask.name, ask.effect, |way| async move {
                answered(lms, ask, &way, patience).await
            })
            .await;
        if let Err(error) = &outcome
            && let Failure::Later {
                after: Some(after), ..
            } = &error.failure
        {
            self.note_left_alone(lms, *after);
        }
        outcome.map_err(|error| error.failure.into())
    }

    /// Refuses, in the background, to ask an LMS that wants to be left alone: there somebody waits who knows whether the
    /// process is to stop.
    fn let_alone(&self, lms: &Lms) -> Result<(), LmsFailure> {
        let Some(left) = self.left_alone_for(lms).filter(|_| self.in_background) else {
            return Ok(());
        };
        let words = "it was not asked again yet: it wants to be left alone for a while";
        Err(LmsFailure {
            retry_after: Some(left),
            ..LmsFailure::new(LmsCode::Throttled, words)
        })
    }

    /// How long an LMS wants to be left alone.
    pub fn left_alone_for(&self, lms: &Lms) -> Option<Duration> {
        let all = self
            .lms
            .left_alone
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let until = all.get(&lms.server)?;
        until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    fn note_left_alone(&self, lms: &Lms, after: Duration) {
        let mut all = self
            .lms
            .left_alone
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + after;
        let kept = all.entry(lms.server.clone()).or_insert(until);
        *kept = until.max(*kept);
    }
}

async fn answered(lms: &Lms, ask: &Ask, way: &Way, patience: Patience) -> Result<Answer, Failure> {
    let request = match &ask.body {
        Body::Nothing => way.client.get(ask.url.clone()),
        Body::Json(json) => way.client.post(ask.url.clone()).body(json.to_string()),
        Body::Form(fields) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(fields);
            let kind = "application/x-www-form-urlencoded";
            let request = way.client.post(ask.url.clone());
            request
                .header(reqwest::header::CONTENT_TYPE, kind)
                .body(form.finish())
        }
    };
    let end = way.begun + patience.total;
    let response = sent(way, request.headers(ask.headers.clone()), end, patience).await?;
    let status = response.status().as_u16();
    let after = retry_after(response.headers());
    let mut reply = match Reply::of(response, end, patience) {
        reply if (300..400).contains(&status) => {
            let to = reply.leads_to().unwrap_or_else(|| "nowhere".to_owned());
            return Err(Failure::Elsewhere { status, to });
        }
        reply => reply,
    };
    if status == 429 || status >= 500 {
        let beginning = reply.beginning().await.unwrap_or_default();
        let said = said_in(&beginning, &ask.secrets(lms));
        return Err(Failure::Later {
            status,
            said,
            after,
        });
    }
    let body = reply.at_most(LONGEST_ANSWER + 1).await?;
    if body.len() > LONGEST_ANSWER {
        return Err(Failure::TooLong(LONGEST_ANSWER as u64));
    }
    Ok(Answer { status, body })
}

/// How long an LMS wants to be left alone: seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let then = chrono::DateTime::parse_from_rfc2822(text).ok()?;
            let wait = then.signed_duration_since(chrono::Utc::now());
            wait.to_std().unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// What an LMS gives for longer counts as given for so long.
const LONGEST_LIFE: Duration = Duration::from_secs(86_400);

/// A moment from which on something counts as over. No clock reaches as far as the seconds that an LMS may say.
pub(super) fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds).min(LONGEST_LIFE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_for_ever_counts_for_a_day() {
        let (day, over) = (in_seconds(86_400), in_seconds(u64::MAX));
        assert!(day <= over && over <= Instant::now() + LONGEST_LIFE);
    }
}
