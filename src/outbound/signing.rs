//! The address of a call, its parameters, and its signature: made when the call is sent, each try anew.

use chrono::Utc;
use url::Url;

use super::Failure;
use super::request::Page;
use crate::domain::enc::push_enc;
use crate::domain::server::Signing;
use crate::domain::signature2::{self, NO_BODY, Request};
use crate::domain::tool::{Address, Value};

/// So many redirects are followed under the legacy signature, which covers no address.
const REDIRECTS: usize = 5;

impl Page<'_> {
    /// The address of a GET, signed now, and how many redirects it may follow.
    pub(super) fn signed_address(
        &self,
        parameters: &[(&str, &str)],
        more: Option<(&Address, &str)>,
    ) -> Result<(Url, usize), Failure> {
        let mut url = self.url()?;
        let mut query = self.own_parameters(&url);
        if let Some((template, option)) = more {
            query.push('&');
            self.push(&mut query, template, option);
        }
        match self.server.signing {
            Signing::Legacy => {
                push_pairs(&mut query, self.legacy()?);
                push_pairs(&mut query, parameters.iter().copied());
                url.set_query(Some(&query));
                Ok((url, REDIRECTS))
            }
            Signing::Two => {
                push_pairs(&mut query, parameters.iter().copied());
                self.sign(&mut url, query, "GET", NO_BODY)?;
                Ok((url, 0))
            }
        }
    }

    /// Where the page is.
    pub(super) fn url(&self) -> Result<Url, Failure> {
        let url = self.server.adapter_page(self.tool);
        url.map_err(|error| Failure::NotCallable(format!("the adapter page {error}")))
    }

    /// The page's own query and the parameters that say who and where.
    pub(super) fn own_parameters(&self, page: &Url) -> String {
        let mut query = String::with_capacity(512);
        if let Some(own) = page.query().filter(|own| !own.is_empty()) {
            query.push_str(own);
            query.push('&');
        }
        self.push(&mut query, &self.tool.adapter_page.parameters, "");
        query
    }

    /// The legacy signature: `ts` and `hs` (6.1), each with its name.
    pub(super) fn legacy(&self) -> Result<[(&'static str, String); 2], Failure> {
        let ts = Utc::now().timestamp_millis().to_string();
        let hs = self.server.hash(&ts, &self.place.user).ok_or_else(no_key)?;
        Ok([("ts", ts), ("hs", hs)])
    }

    /// Gives an address its query, and signature 2 of now at its end.
    pub(super) fn sign(
        &self,
        url: &mut Url,
        query: String,
        method: &str,
        body: &str,
    ) -> Result<(), Failure> {
        let mut query = query;
        let mut nonce = signature2::Nonce::default();
        getrandom::fill(&mut nonce)
            .map_err(|error| Failure::NotCallable(format!("no random bytes: {error}")))?;
        push_pairs(&mut query, signature2::stamp(Utc::now(), nonce));
        url.set_query(Some(&query));
        let request = Request {
            method,
            path: url.path(),
            query: url.query().unwrap_or_default(),
            body,
        };
        let sig = self.server.signature2(request).ok_or_else(no_key)?;
        push_pairs(&mut query, [("sig", sig)]);
        url.set_query(Some(&query));
        Ok(())
    }

    pub(super) fn push(&self, query: &mut String, template: &Address, option: &str) {
        template.push(query, |value| match value {
            Value::User => &self.place.user,
            Value::Course => &self.place.course,
            Value::Section => self.place.section.as_deref().unwrap_or_default(),
            Value::Config(name) => self.server.item(self.tool, name),
            Value::ExtLmsId => self.server.id.as_str(),
            Value::Option => option,
            _ => "",
        });
    }
}

fn no_key() -> Failure {
    Failure::NotCallable("the server has no key".to_owned())
}

/// Appends `&name=value` of each.
pub(super) fn push_pairs<'n, V: AsRef<str>>(
    query: &mut String,
    pairs: impl IntoIterator<Item = (&'n str, V)>,
) {
    for (name, value) in pairs {
        query.push('&');
        query.push_str(name);
        query.push('=');
        push_enc(query, value.as_ref());
    }
}
