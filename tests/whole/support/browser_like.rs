//! What a browser would have of an answer.

use std::collections::HashMap;

use scraper::{Html, Selector};
use url::Url;

pub struct Page {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Page {
    pub async fn read(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        Self {
            status,
            headers,
            body: response.text().await.unwrap(),
        }
    }

    pub fn location(&self) -> String {
        assert_eq!(self.status, 302, "{}", self.body);
        assert_eq!(self.headers["cache-control"], "no-store");
        self.headers["location"].clone()
    }

    /// Where a form that was taken leads.
    pub fn see_other(&self) -> String {
        assert_eq!(self.status, 303, "{}", self.body);
        assert_eq!(self.headers["cache-control"], "no-store");
        self.headers["location"].clone()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The text of the first element of a selector.
    pub fn text(&self, selector: &str) -> Option<String> {
        let selector = Selector::parse(selector).unwrap();
        let document = Html::parse_document(&self.body);
        document
            .select(&selector)
            .next()
            .map(|element| element.text().collect::<String>().trim().to_owned())
    }

    /// An attribute of every element of a selector.
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        let document = Html::parse_document(&self.body);
        document
            .select(&selector)
            .filter_map(|element| element.attr(name).map(str::to_owned))
            .collect()
    }

    /// What a refusal of `status` must have, page or problem document; answers its code or title.
    pub fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        let id = &self.headers["x-request-id"];
        let kind = self.headers["content-type"].as_str();
        if kind == "application/problem+json" {
            let problem = self.json();
            assert_eq!(problem["status"], status);
            assert_eq!(problem["requestId"], id.as_str());
            assert!(
                problem["detail"]
                    .as_str()
                    .is_some_and(|detail| !detail.is_empty())
            );
            return problem["code"].as_str().unwrap().to_owned();
        }
        assert_eq!(kind, "text/html; charset=utf-8");
        assert_eq!(self.text("#request-id").as_ref(), Some(id));
        for words in ["#detail", "#advice"] {
            assert!(
                self.text(words).is_some_and(|text| text.len() > 10),
                "{}",
                self.body
            );
        }
        self.text("h1").unwrap()
    }
}

/// A decoded parameter of an address.
pub fn parameter(address: &str, name: &str) -> Option<String> {
    let url = Url::parse(address).unwrap();
    url.query_pairs()
        .find(|(n, _)| n == name)
        .map(|(_, value)| value.into_owned())
}
