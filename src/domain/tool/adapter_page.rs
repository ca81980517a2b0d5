//! The adapter page of a tool: the script on an external server that clone, import, export and output are
//! sent to (protocol 5), and what each of these calls says of who and where.

use super::Address;
use crate::domain::content::Place;

/// How a tool's adapter page is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterPage {
    /// Where it is, absolute or relative to the server's address; a server may have another
    /// (`adapter_page` of its settings).
    pub address: String,
    /// The parameters of every call that say who and where.
    pub parameters: Address,
    /// More parameters of an import.
    pub import_parameters: Address,
    /// In whose name exports are made, where that is not the one who saved the content: LAMS names the
    /// same for all of them.
    pub export_place: Option<ExportPlace>,
    /// The method that deletes what a clone or import made, where the page has one.
    pub delete: Option<Method>,
}

/// Who and where all exports of a tool are said to be for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportPlace {
    user: String,
    course: String,
    section: Option<String>,
}

impl std::fmt::Display for ExportPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in the course {}", self.user, self.course)?;
        match &self.section {
            Some(section) => write!(f, ", section {section}"),
            None => Ok(()),
        }
    }
}

impl AdapterPage {
    /// The place that an export of content at `place` names.
    pub fn export_place(&self, place: &Place) -> Place {
        match &self.export_place {
            None => place.clone(),
            Some(constant) => Place {
                user: constant.user.clone(),
                course: constant.course.clone(),
                section: constant.section.clone(),
                ..place.clone()
            },
        }
    }
}

/// A method of an adapter page: 1 to 64 of `a-z`, `A-Z`, `0-9` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Method(String);

impl Method {
    /// The method as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Method {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text))
        } else {
            Err("a method is 1 to 64 letters, digits or '_'")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_exports_for_all_is_named() {
        let place = |section: Option<&str>| ExportPlace {
            user: "admin".to_owned(),
            course: "1".to_owned(),
            section: section.map(str::to_owned),
        };
        assert_eq!(place(None).to_string(), "admin in the course 1");
        assert_eq!(
            place(Some("2")).to_string(),
            "admin in the course 1, section 2"
        );
    }

    #[test]
    fn an_export_for_all_keeps_the_place_but_for_who_and_where() {
        let own = Place {
            server: "moodle".parse().unwrap(),
            user: "bill".to_owned(),
            course: "7".to_owned(),
            section: Some("3".to_owned()),
            course_url: Some("http://h/c".to_owned()),
        };
        let mut page = crate::domain::tool::builtin_tools()
            .next()
            .unwrap()
            .adapter_page;
        page.export_place = None;
        assert_eq!(page.export_place(&own), own);
        page.export_place = Some(ExportPlace {
            user: "admin".to_owned(),
            course: "1".to_owned(),
            section: None,
        });
        let all = Place {
            user: "admin".to_owned(),
            course: "1".to_owned(),
            section: None,
            ..own.clone()
        };
        assert_eq!(page.export_place(&own), all);
    }

    #[test]
    fn a_method_is_a_word() {
        let method =
            |text: &str| Method::try_from(text.to_owned()).map(|method| method.as_str().to_owned());
        assert_eq!(
            method("export_portfolio2").as_deref(),
            Ok("export_portfolio2")
        );
        assert!(method(&"a".repeat(64)).is_ok());
        for wrong in ["", "a b", "a-b", "ü", &"a".repeat(65)] {
            assert!(method(wrong).is_err(), "{wrong}");
        }
    }
}
