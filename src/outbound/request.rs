//! One request to an adapter page, from its parameters to its answer: signed when it is sent ([`super::signing`]);
//! redirected within one origin alone, only where it is a GET and under the legacy signature; read within its time
//! and its length.

use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::LOCATION;
use url::{Url, form_urlencoded};

use super::Failure;
use super::excerpt::excerpt;
use super::lane::Way;
use super::network::execute;
use super::signing::push_pairs;
use super::spool::{Spool, SpoolError, SpoolWriter};
use crate::domain::content::Place;
use crate::domain::launch_record::About;
use crate::domain::server::{Server, Signing};
use crate::domain::tool::{Address, Tool};

/// So much of an answer is read to say what it was.
const EXCERPT: usize = 2048;

/// The adapter page of a tool on a server, called in the name of a place's user.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The tool.
    pub tool: &'a Tool,
    /// The server.
    pub server: &'a Server,
    /// Who, and where.
    pub place: &'a Place,
    /// What the call is about, for the records; nothing where it is about nothing that is stored.
    pub about: Option<&'a About>,
}

/// How long a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// In all, from the turn's beginning on.
    pub(super) total: Duration,
    /// Until the answer begins, and for each piece of it.
    pub(super) idle: Duration,
}

/// An answer with a status of success, still to be read.
#[derive(Debug)]
pub(super) struct Reply {
    response: reqwest::Response,
    status: u16,
    end: Instant,
    patience: Patience,
}

impl Page<'_> {
    /// Sends a GET with these parameters beside those that say who and where.
    pub(super) async fn get(
        &self,
        way: &Way,
        parameters: &[(&str, &str)],
        more: Option<(&Address, &str)>,
        patience: Patience,
    ) -> Result<Reply, Failure> {
        let (url, follows) = self.signed_address(parameters, more)?;
        self.fetch(way, url, follows, patience).await
    }

    /// Sends one and the same GET twice, as somebody does who caught it. Answers the second answer.
    pub(super) async fn get_twice(
        &self,
        way: &Way,
        parameters: &[(&str, &str)],
        patience: Patience,
    ) -> Result<Reply, Failure> {
        let (url, follows) = self.signed_address(parameters, None)?;
        self.fetch(way, url.clone(), follows, patience).await?;
        self.fetch(way, url, follows, patience).await
    }

    async fn fetch(
        &self,
        way: &Way,
        mut url: Url,
        follows: usize,
        patience: Patience,
    ) -> Result<Reply, Failure> {
        let end = way.begun + patience.total;
        let mut followed = 0;
        loop {
            let request = way.client.get(url.clone());
            let response = match sent(way, request, end, patience).await {
                // The server has seen the call already, where it sent it on.
                Err(failure) if followed > 0 && failure.was_not_sent() => {
                    return Err(Failure::Broken(format!("after a redirect: {failure}")));
                }
                outcome => outcome?,
            };
            match within_origin(&response, &url) {
                Some(to) if followed < follows => url = to,
                _ => return self.taken(response, end, patience).await,
            }
            followed += 1;
        }
    }

    /// Sends a POST of a form, with a file at its end. Never redirected.
    pub(super) async fn post(
        &self,
        way: &Way,
        parameters: &[(&str, &str)],
        file: (&'static str, &'static str, &Spool),
        patience: Patience,
    ) -> Result<Reply, Failure> {
        let mut form = reqwest::multipart::Form::new();
        let mut url = self.url()?;
        let (name, file_name, spool) = file;
        let import_parameters = &self.tool.adapter_page.import_parameters;
        match self.server.signing {
            Signing::Legacy => {
                let mut own = String::with_capacity(512);
                self.push(&mut own, &self.tool.adapter_page.parameters, "");
                own.push('&');
                self.push(&mut own, import_parameters, "");
                for (name, value) in form_urlencoded::parse(own.as_bytes()) {
                    form = form.text(name.into_owned(), value.into_owned());
                }
                for (name, value) in self.legacy()? {
                    form = form.text(name, value);
                }
                for (name, value) in parameters {
                    form = form.text((*name).to_owned(), (*value).to_owned());
                }
            }
            Signing::Two => {
                let mut query = self.own_parameters(&url);
                query.push('&');
                self.push(&mut query, import_parameters, "");
                push_pairs(&mut query, parameters.iter().copied());
                self.sign(&mut url, query, "POST", &spool.sha256())?;
            }
        }
        let body = reqwest::Body::wrap_stream(spool.stream());
        let part =
            reqwest::multipart::Part::stream_with_length(body, spool.len()).file_name(file_name);
        let end = way.begun + patience.total;
        let request = way.client.post(url).multipart(form.part(name, part));
        let response = sent(way, request, end, patience).await?;
        self.taken(response, end, patience).await
    }

    /// An answer with a status of success; any other is a failure.
    async fn taken(
        &self,
        response: reqwest::Response,
        end: Instant,
        patience: Patience,
    ) -> Result<Reply, Failure> {
        let status = response.status().as_u16();
        let to = location(&response).map(|to| to.origin().ascii_serialization());
        let mut reply = Reply {
            response,
            status,
            end,
            patience,
        };
        match status {
            200..300 => Ok(reply),
            401 => Err(Failure::HashRefused(self.server.signing)),
            status => {
                if let Some(to) = to.filter(|_| status < 400) {
                    return Err(Failure::Elsewhere { status, to });
                }
                // What refuses has refused, however it goes on.
                let answer = reply.beginning().await.unwrap_or_default();
                Err(Failure::Status {
                    status,
                    answer: excerpt(&answer, self.server),
                })
            }
        }
    }

    /// What to say of a success that may hold an id, but not as it must be.
    pub(super) fn garbled(&self, answer: &[u8]) -> Failure {
        Failure::Garbled(excerpt(answer, self.server))
    }

    /// What to say of a success that is not what was asked for.
    pub(super) fn unexpected(&self, status: u16, expected: &'static str, answer: &[u8]) -> Failure {
        let answer = excerpt(answer, self.server);
        match status {
            200 => Failure::Unexpected { expected, answer },
            status => Failure::Status { status, answer },
        }
    }
}

/// Sends a request, if its address may be called; its answer has begun.
pub(super) async fn sent(
    way: &Way,
    request: reqwest::RequestBuilder,
    end: Instant,
    patience: Patience,
) -> Result<reqwest::Response, Failure> {
    let left = end.saturating_duration_since(Instant::now());
    let request = request.timeout(left).build();
    let request = request.map_err(|error| failure_of(error, patience.total))?;
    let execution = execute(&way.client, request, way.private_network);
    match tokio::time::timeout(patience.idle, execution).await {
        Ok(outcome) => outcome?.map_err(|error| failure_of(error, patience.total)),
        Err(_) => Err(Failure::TimedOut(patience.idle)),
    }
}

/// Where a redirect leads, if that is within the origin that was called.
fn within_origin(response: &reqwest::Response, from: &Url) -> Option<Url> {
    let moved = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    location(response).filter(|to| moved && to.origin() == from.origin())
}

pub(super) fn location(response: &reqwest::Response) -> Option<Url> {
    let to = response.headers().get(LOCATION)?.to_str().ok()?;
    response.url().join(to).ok()
}

impl Reply {
    /// An answer, whatever its status.
    pub(super) fn of(response: reqwest::Response, end: Instant, patience: Patience) -> Self {
        Self {
            status: response.status().as_u16(),
            response,
            end,
            patience,
        }
    }

    /// The origin that it sends the call on to.
    pub(super) fn leads_to(&self) -> Option<String> {
        location(&self.response).map(|to| to.origin().ascii_serialization())
    }

    /// Its status, one of success.
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// How far the server's clock is before ours, in seconds, as its answer says.
    pub(super) fn clock(&self, now: DateTime<Utc>) -> Option<i64> {
        clock_of(self.response.headers(), now)
    }

    /// A header that people may see.
    pub(super) fn header(&self, name: reqwest::header::HeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The next piece; none at the end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        let left = self.end.saturating_duration_since(Instant::now());
        let (wait, limit) = if self.patience.idle < left {
            (self.patience.idle, self.patience.idle)
        } else {
            (left, self.patience.total)
        };
        match tokio::time::timeout(wait, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(failure_of(error, self.patience.total)),
            Err(_) => Err(Failure::TimedOut(limit)),
        }
    }

    /// The beginning of the answer: what is longer is no id and no number.
    pub(super) async fn beginning(&mut self) -> Result<Vec<u8>, Failure> {
        self.at_most(EXCERPT).await
    }

    /// So many bytes of the answer, or all of it where it is shorter.
    pub(super) async fn at_most(&mut self, most: usize) -> Result<Vec<u8>, Failure> {
        let mut answer = Vec::new();
        while answer.len() < most {
            let Some(piece) = self.piece().await? else {
                break;
            };
            answer.extend_from_slice(&piece[..piece.len().min(most - answer.len())]);
        }
        Ok(answer)
    }

    /// The whole answer, in a file.
    pub(super) async fn spooled(&mut self, most: u64) -> Result<Spool, Failure> {
        if self
            .response
            .content_length()
            .is_some_and(|length| length > most)
        {
            return Err(Failure::TooLong(most));
        }
        let kept = |error| match error {
            SpoolError::TooLong(most) => Failure::TooLong(most),
            SpoolError::Io(error) => Failure::NotKept(error.to_string()),
        };
        let mut writer = SpoolWriter::new(most).map_err(kept)?;
        while let Some(piece) = self.piece().await? {
            writer.push(&piece).map_err(kept)?;
        }
        Ok(writer.done())
    }
}

/// How far the clock of whoever sent these headers is before ours, in seconds.
pub(super) fn clock_of(headers: &reqwest::header::HeaderMap, now: DateTime<Utc>) -> Option<i64> {
    let there = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    super::connection_test::seconds_before(there, now)
}

pub(super) fn failure_of(error: reqwest::Error, limit: Duration) -> Failure {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        words = cause.to_string();
        source = cause.source();
    }
    if error.is_connect() && error.is_timeout() {
        Failure::NoConnectionInTime
    } else if error.is_connect() {
        Failure::NotSent(words)
    } else if error.is_timeout() {
        Failure::TimedOut(limit)
    } else {
        Failure::Broken(words)
    }
}
