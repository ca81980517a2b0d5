//! A browser with cookies, at the pages of sysadmins of one gateway.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::{Gateway, Page};

pub const ADA: &str = "Ada";
pub const PASSWORD: &str = "a few good words";

/// Where a request says that it comes from.
#[derive(Debug, Clone, Copy)]
pub struct From(pub &'static [(&'static str, &'static str)]);

/// As a browser says of a form of the very page.
pub const OWN_PAGE: From = From(&[("Sec-Fetch-Site", "same-origin")]);

pub struct Visitor<'a> {
    gateway: &'a Gateway,
    cookies: Mutex<BTreeMap<String, String>>,
    /// The `Set-Cookie` headers of the last answer.
    set: Mutex<Vec<String>>,
    /// How it comes to the proxy that it is behind, as that says.
    came_over: &'static str,
}

impl<'a> Visitor<'a> {
    pub fn new(gateway: &'a Gateway) -> Self {
        Self {
            gateway,
            cookies: Mutex::default(),
            set: Mutex::default(),
            came_over: "",
        }
    }

    /// A browser of which a proxy says how it came there: what it sends as `X-Forwarded-Proto`, or nothing.
    pub fn behind_a_proxy(gateway: &'a Gateway, came_over: &'static str) -> Self {
        Self {
            came_over,
            ..Self::new(gateway)
        }
    }

    /// The same browser at another gateway of the same public address.
    pub fn at<'b>(&self, gateway: &'b Gateway) -> Visitor<'b> {
        Visitor {
            gateway,
            cookies: Mutex::new(self.cookies()),
            set: Mutex::default(),
            came_over: self.came_over,
        }
    }

    /// A sysadmin of this name, made from the shell and signed in.
    pub async fn signed_in(gateway: &'a Gateway, name: &str) -> Self {
        let added = super::admin(&gateway.database, &["add", name], PASSWORD);
        assert!(added.status.success(), "{added:?}");
        let visitor = Self::new(gateway);
        let page = visitor.sign_in(name, PASSWORD).await;
        assert_eq!(page.see_other(), "/admin/");
        visitor
    }

    pub async fn sign_in(&self, name: &str, password: &str) -> Page {
        self.post("/admin/sign-in", &[("name", name), ("password", password)])
            .await
    }

    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().unwrap().clone()
    }

    pub fn set_cookies(&self) -> Vec<String> {
        self.set.lock().unwrap().clone()
    }

    pub fn give_cookie(&self, name: &str, value: &str) {
        self.cookies
            .lock()
            .unwrap()
            .insert(name.to_owned(), value.to_owned());
    }

    pub async fn get(&self, path: &str) -> Page {
        let request = self.gateway.client().get(self.address(path));
        self.send(request).await
    }

    /// Sends a form of a page of the gateway.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_from(OWN_PAGE, path, fields).await
    }

    pub async fn post_from(&self, from: From, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut request = self
            .gateway
            .client()
            .post(self.address(path))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body);
        for (name, value) in from.0 {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// Sends a body of any kind, as a form of a page of the gateway.
    pub async fn post_body(&self, path: &str, kind: &str, body: Vec<u8>) -> Page {
        let request = self
            .gateway
            .client()
            .post(self.address(path))
            .header("Content-Type", kind)
            .header("Sec-Fetch-Site", "same-origin")
            .body(body);
        self.send(request).await
    }

    /// The same with the token that a page's forms have now.
    pub async fn post_form(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.form_token(page).await;
        let fields = [fields, &[("form_token", token.as_str())]].concat();
        self.post(path, &fields).await
    }

    /// The same as a form with a file sends it.
    pub async fn post_file(&self, path: &str, fields: &[(&str, &str)], file: Vec<u8>) -> Page {
        let mut form = reqwest::multipart::Form::new();
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        let file = reqwest::multipart::Part::bytes(file).file_name("school.toml");
        let mut request = self
            .gateway
            .client()
            .post(self.address(path))
            .multipart(form.part("file", file));
        for (name, value) in OWN_PAGE.0 {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    pub async fn form_token(&self, page: &str) -> String {
        let page = self.get(page).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.attributes("[name=form_token]", "value")[0].clone()
    }

    /// Whether the gateway takes it for somebody who is signed in.
    pub async fn is_in(&self) -> bool {
        let page = self.get("/admin/account").await;
        match page.status {
            200 => true,
            303 => {
                let to = page.see_other();
                assert_eq!(to, "/admin/sign-in?next=%2Fadmin%2Faccount");
                false
            }
            other => panic!("{other}: {}", page.body),
        }
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.gateway.base)
    }

    async fn send(&self, mut request: reqwest::RequestBuilder) -> Page {
        let cookies = self.cookies();
        if !cookies.is_empty() {
            let pairs: Vec<_> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header("Cookie", pairs.join("; "));
        }
        if !self.came_over.is_empty() {
            request = request.header("X-Forwarded-Proto", self.came_over);
        }
        let response = request.send().await.unwrap();
        let set: Vec<String> = response
            .headers()
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect();
        for cookie in &set {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        *self.set.lock().unwrap() = set;
        Page::read(response).await
    }
}
