//! Who a request is for. LAMS knows a person by a login that it makes of the server's prefix, an
//! underscore and the external login; the external server knows the latter alone.

use std::sync::Arc;

use super::server::Server;

/// What two spellings of one login have in common: LAMS and its servers do not regard case, nor blanks around.
pub fn login_key(login: &str) -> String {
    login.trim().to_lowercase()
}

/// A person, by the name that the request gave. Each launch passes one on several times, so the name is shared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Person {
    /// A LAMS login, such as `mdl_Bill`.
    Lams(Arc<str>),
    /// A login on the external server, such as `Bill`: the user of a customCSV.
    External(Arc<str>),
}

impl Person {
    /// The login on `server`: a LAMS login without the server's prefix and underscore, unchanged where
    /// it has none. This is `un` of a signed redirect.
    pub fn external_login<'a>(&'a self, server: &Server) -> &'a str {
        match self {
            Person::External(login) => login,
            Person::Lams(login) => server.without_prefix(login),
        }
    }

    /// The name as the request gave it.
    pub fn name(&self) -> &str {
        match self {
            Person::Lams(name) | Person::External(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_known_by_the_name_that_was_given_and_the_login_there() {
        let server = Server::sample();
        let lams = Person::Lams("mdl_Bill".into());
        let external = Person::External("mdl_Bill".into());
        assert_eq!((lams.name(), external.name()), ("mdl_Bill", "mdl_Bill"));
        assert_eq!(lams.external_login(&server), "Bill");
        assert_eq!(external.external_login(&server), "mdl_Bill");
        assert_eq!(login_key(" ÉMILE "), "émile");
    }
}
