//! A gateway whose every answer is kept to be searched.

use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::Value;

use super::search::Search;
use crate::support::{Gateway, Page, Visitor};

pub struct Watched<'a> {
    pub gateway: &'a Gateway,
    pub search: &'a Search,
}

thread_local! {
    /// Each request comes from an address of its own: who is refused too often has to wait.
    static ASKED: Cell<u16> = const { Cell::new(0) };
}

impl Watched<'_> {
    /// An answer; it may hold the secrets of these names.
    pub fn saw(&self, what: &str, page: Page, allowed: &[&str]) -> Page {
        let head = format!("{:?}", page.headers);
        let what = format!("the answer to {what}");
        self.search.text_but(&what, head + &page.body, allowed);
        page
    }

    pub async fn get(&self, path: &str, allowed: &[&str]) -> Page {
        ASKED.set(ASKED.get() + 1);
        let [a, b] = ASKED.get().to_be_bytes();
        let request = self
            .gateway
            .client()
            .get(format!("{}{path}", self.gateway.base));
        let request = request.header("X-Forwarded-For", format!("10.3.{a}.{b}"));
        let page = Page::read(request.send().await.unwrap()).await;
        // The path alone: what was asked is no answer.
        self.saw(path.split('?').next().unwrap(), page, allowed)
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Page {
        let page = self.gateway.call(method, path, body).await;
        self.saw(&format!("{method} {path}"), page, &[])
    }

    /// A sysadmin opens a page.
    pub async fn by(&self, visitor: &Visitor<'_>, path: &str, allowed: &[&str]) -> Page {
        let page = visitor.get(path).await;
        self.saw(path.split('?').next().unwrap(), page, allowed)
    }

    pub async fn posts(
        &self,
        visitor: &Visitor<'_>,
        path: &str,
        fields: &[(&str, &str)],
        allowed: &[&str],
    ) -> Page {
        let page = visitor.post(path, fields).await;
        self.saw(&format!("POST {path}"), page, allowed)
    }

    /// The same with the token of a page's forms; the answer may have forms, too.
    pub async fn sends(
        &self,
        visitor: &Visitor<'_>,
        page: &str,
        path: &str,
        fields: &[(&str, &str)],
        allowed: &[&str],
    ) -> Page {
        let page = visitor.post_form(page, path, fields).await;
        let allowed = [allowed, &["form token"]].concat();
        self.saw(&format!("POST {path}"), page, &allowed)
    }

    /// Opens every page of sysadmins that a link leads to.
    pub async fn every_page(&self, ada: &Visitor<'_>) {
        let mut known = BTreeSet::from(["/admin/".to_owned()]);
        let mut left = vec!["/admin/".to_owned()];
        while let Some(path) = left.pop() {
            let page = self.by(ada, &path, &["form token"]).await;
            for link in page.attributes("a", "href") {
                let link = link.split('#').next().unwrap().to_owned();
                // Charts and lists link to themselves in many orders.
                let more = known.len() < 250 && link.starts_with("/admin/");
                if more && known.insert(link.clone()) {
                    left.push(link);
                }
            }
        }
        assert!(known.len() > 60, "{known:?}");
    }
}
