//! What came out, and the secrets that must not be in it. Secrets become known on the way, so it is searched at the
//! end.

use std::cell::RefCell;
use std::process::Output;

use crate::support::{Database, Kind};

#[derive(Default)]
pub struct Search {
    /// Each with its name.
    secrets: RefCell<Vec<(String, String)>>,
    /// What came out, in small letters, with the names of the secrets that may be in it.
    texts: RefCell<Vec<(String, String, Vec<String>)>>,
    found: RefCell<Vec<String>>,
}

impl Search {
    pub fn secret(&self, name: &str, text: &str) {
        assert!(text.len() >= 9, "{name} could be anywhere");
        let known = (name.to_owned(), text.to_lowercase());
        if !self.secrets.borrow().contains(&known) {
            self.secrets.borrow_mut().push(known);
        }
    }

    /// Something that came out, which may hold the secrets of these names.
    pub fn text_but(&self, what: &str, text: String, allowed: &[&str]) {
        let allowed = allowed.iter().map(|name| (*name).to_owned()).collect();
        let text = (what.to_owned(), text.to_lowercase(), allowed);
        self.texts.borrow_mut().push(text);
    }

    pub fn output(&self, what: &str, output: &Output) {
        for bytes in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(bytes).into_owned();
            self.text_but(&format!("toolgate {what}"), text, &[]);
        }
    }

    /// What is stored: also as the hexadecimal digits of bytes. Whom names and wrong entries belong to is not secret
    /// there.
    pub fn bytes(&self, what: &str, bytes: &[u8]) {
        self.text_but(what, String::from_utf8_lossy(bytes).into_owned(), &[]);
    }

    /// Every way in which a secret may be written.
    fn written(secret: &str) -> Vec<String> {
        let encoded = urlencoding::encode(secret).to_lowercase();
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let mut all = vec![secret.to_owned(), encoded, form, hex::encode(secret)];
        all.sort_unstable();
        all.dedup();
        all
    }

    pub fn nothing_found(&self) {
        let mut found = self.found.borrow_mut();
        for (name, secret) in self.secrets.borrow().iter() {
            let written = Self::written(secret);
            for (what, text, allowed) in self.texts.borrow().iter() {
                let place = written
                    .iter()
                    .find_map(|written| text.find(written.as_str()));
                if let Some(place) = place.filter(|_| !allowed.contains(name)) {
                    let around = text.as_bytes();
                    let end = around.len().min(place + 200);
                    let around = &around[place.saturating_sub(300)..end];
                    let around = String::from_utf8_lossy(around);
                    found.push(format!("the {name} is in {what}: …{}…", around));
                }
            }
        }
        assert!(found.is_empty(), "{}", found.join("\n\n"));
    }
}

/// All that a database holds.
pub async fn database(database: &Database) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    match database.kind {
        Kind::Sqlite => {
            for file in std::fs::read_dir(database.folder.path()).unwrap() {
                let path = file.unwrap().path();
                let name = path.display().to_string();
                if name.contains(".db") {
                    all.push((name, std::fs::read(path).unwrap()));
                }
            }
        }
        Kind::Postgres => {
            let names = "select string_agg(table_name, ' ') from information_schema.tables where table_schema = 'public'";
            for table in database.text(names).await.unwrap().split(' ') {
                let sql = format!("select string_agg(t::text, ' ') from {table} t");
                let rows = database.text(&sql).await.unwrap_or_default();
                all.push((format!("table {table}"), rows.into_bytes()));
            }
        }
    }
    assert!(all.iter().any(|(_, bytes)| bytes.len() > 1000));
    all
}
