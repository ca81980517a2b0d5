//! customCSV: who, which course, which section, which server. One RFC 4180 record that the external
//! LMS made and LAMS passed on (protocol 1.2).
//!
//! Read here by hand and strictly: it decides who acts where, so a quote that is never closed or a
//! field that goes on after its quote is refused, where a general reader would guess.

mod reading;

pub use reading::Reading;

use super::base_url::is_plain_address;
use super::id::ServerId;

/// What a field of customCSV means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The login on the external server.
    User,
    /// The course there.
    Course,
    /// The section of the course; may be empty.
    Section,
    /// The address of the course, in place of a section.
    CourseUrl,
    /// The server id.
    ExtLmsId,
}

impl Field {
    /// The field's name in words.
    pub fn words(self) -> &'static str {
        match self {
            Field::User => "user",
            Field::Course => "course",
            Field::Section => "section",
            Field::CourseUrl => "course address",
            Field::ExtLmsId => "server id",
        }
    }
}

/// The fields that a tool expects, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The fields of today's form.
    pub fields: Vec<Field>,
    /// The fields of the older form, which names no server, where the tool still takes it.
    pub older: Option<Vec<Field>>,
}

/// A customCSV, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomCsv {
    /// The login on the external server; never empty.
    pub user: String,
    /// The course there; never empty.
    pub course: String,
    /// The section, where the form has one; may be empty.
    pub section: Option<String>,
    /// The address of the course, where the form has one, without a slash at its end; it must lie within
    /// its server's origin.
    pub course_url: Option<String>,
    /// The server, where the form names one.
    pub server: Option<NamedServer>,
}

/// The server id field of a customCSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedServer {
    /// It is of a server id's form.
    Id(ServerId),
    /// It is of no server id's form, so no server has it.
    Impossible,
}

/// Why a customCSV is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomCsvError {
    /// It is no RFC 4180 record.
    #[error("customCSV is not a comma separated record: {0}")]
    NotARecord(&'static str),
    /// It has too few or too many fields.
    #[error("customCSV has {found} fields, expected {expected}")]
    FieldCount {
        /// How many there are.
        found: usize,
        /// The fields expected, in words.
        expected: String,
    },
    /// A field that must say something is empty.
    #[error("the {0} in customCSV is empty")]
    Empty(&'static str),
    /// A field is longer than 255 characters.
    #[error("the {0} in customCSV is longer than 255 characters")]
    TooLong(&'static str),
    /// The course address is none that may stand in a browser's address.
    #[error(
        "the course address in customCSV must be a plain http(s) address without query, fragment or user"
    )]
    CourseUrl,
    /// A field holds a control character.
    #[error("the {0} in customCSV holds a control character")]
    Control(&'static str),
}

impl CustomCsvError {
    /// Whether it is about a field.
    pub fn is_about(&self, field: Field) -> bool {
        match self {
            Self::Empty(words) | Self::TooLong(words) | Self::Control(words) => {
                *words == field.words()
            }
            Self::CourseUrl => field == Field::CourseUrl,
            Self::NotARecord(_) | Self::FieldCount { .. } => false,
        }
    }
}

/// The longest field, in characters: what LAMS's own columns take.
const LONGEST_FIELD: usize = 255;

impl CustomCsv {
    /// Reads a customCSV of one of the two forms.
    pub fn parse(text: &str, form: &Form) -> Result<Self, CustomCsvError> {
        let values: Vec<String> = record(text)?.into_iter().map(|cut| cut.value).collect();
        let fields = match &form.older {
            Some(older) if values.len() == older.len() => older,
            _ => &form.fields,
        };
        let count_is_right =
            values.len() >= fields.len() && values[fields.len()..].iter().all(String::is_empty);
        if !count_is_right {
            let words: Vec<_> = form.fields.iter().map(|field| field.words()).collect();
            return Err(CustomCsvError::FieldCount {
                found: values.len(),
                expected: format!("{}: {}", words.len(), words.join(", ")),
            });
        }
        let mut csv = CustomCsv::default();
        for (field, value) in fields.iter().zip(values) {
            csv.set(*field, value)?;
        }
        Ok(csv)
    }

    fn set(&mut self, field: Field, value: String) -> Result<(), CustomCsvError> {
        let words = field.words();
        if value.is_empty() && field != Field::Section {
            return Err(CustomCsvError::Empty(words));
        }
        if value.chars().count() > LONGEST_FIELD {
            return Err(CustomCsvError::TooLong(words));
        }
        if value.chars().any(char::is_control) {
            return Err(CustomCsvError::Control(words));
        }
        match field {
            Field::User => self.user = value,
            Field::Course => self.course = value,
            Field::Section => self.section = Some(value),
            Field::CourseUrl => {
                let address = value.trim_end_matches('/');
                if !is_plain_address(address) {
                    return Err(CustomCsvError::CourseUrl);
                }
                self.course_url = Some(address.to_owned());
            }
            Field::ExtLmsId => {
                self.server = Some(
                    value
                        .parse()
                        .map_or(NamedServer::Impossible, NamedServer::Id),
                );
            }
        }
        Ok(())
    }
}

/// A field, cut out of a record.
struct Cut<'a> {
    /// All between its commas.
    raw: &'a str,
    /// What it says.
    value: String,
}

/// Splits one RFC 4180 record into its fields, blanks around each cut; a line end after it does not
/// count.
fn record(text: &str) -> Result<Vec<Cut<'_>>, CustomCsvError> {
    let mut fields = Vec::new();
    let mut rest = trim_blanks(text);
    loop {
        let whole = rest;
        rest = rest.trim_start_matches(BLANKS);
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => plain_field(rest)?,
        };
        let end = whole.len() - after.map_or(0, |after| after.len() + 1);
        fields.push(Cut {
            raw: &whole[..end],
            value: trim_blanks(&field).to_owned(),
        });
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// A field without quotes, and what follows its comma, if one does.
fn plain_field(text: &str) -> Result<(String, Option<&str>), CustomCsvError> {
    let (field, after) = match text.split_once(',') {
        Some((field, after)) => (field, Some(after)),
        None => (text, None),
    };
    if field.contains('"') {
        return Err(CustomCsvError::NotARecord(
            "a quotation mark stands within a field without quotes",
        ));
    }
    if trim_blanks(field).contains(['\r', '\n']) {
        return Err(CustomCsvError::NotARecord("there is more than one line"));
    }
    Ok((field.to_owned(), after))
}

/// A field whose opening quote has been read, and what follows its comma, if one does.
fn quoted_field(text: &str) -> Result<(String, Option<&str>), CustomCsvError> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest
            .split_once('"')
            .ok_or(CustomCsvError::NotARecord("a quotation mark is not closed"))?;
        field.push_str(before);
        if let Some(after) = after.strip_prefix('"') {
            field.push('"');
            rest = after;
            continue;
        }
        let after = after.trim_start_matches(BLANKS);
        return match after.strip_prefix(',') {
            Some(next) => Ok((field, Some(next))),
            None if after.is_empty() => Ok((field, None)),
            None => Err(CustomCsvError::NotARecord(
                "a field goes on after its closing quotation mark",
            )),
        };
    }
}

/// What may stand around a field without counting.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

fn trim_blanks(text: &str) -> &str {
    text.trim_matches(BLANKS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moodle() -> Form {
        use Field::*;
        Form {
            fields: vec![User, Course, Section, ExtLmsId],
            older: Some(vec![User, Course, Section]),
        }
    }

    fn dotlrn() -> Form {
        Form {
            fields: vec![Field::User, Field::Course, Field::CourseUrl],
            older: None,
        }
    }

    fn read(text: &str) -> Result<(String, String, String, Option<String>), CustomCsvError> {
        CustomCsv::parse(text, &moodle()).map(|csv| {
            let server = csv.server.map(|named| match named {
                NamedServer::Id(id) => id.to_string(),
                NamedServer::Impossible => "impossible".to_owned(),
            });
            (csv.user, csv.course, csv.section.unwrap(), server)
        })
    }

    fn fields(
        user: &str,
        course: &str,
        section: &str,
        server: Option<&str>,
    ) -> (String, String, String, Option<String>) {
        (
            user.into(),
            course.into(),
            section.into(),
            server.map(str::to_owned),
        )
    }

    #[test]
    fn the_four_fields_and_the_older_three() {
        assert_eq!(
            read("bill,7,3,moodle"),
            Ok(fields("bill", "7", "3", Some("moodle")))
        );
        assert_eq!(read("bill,7,3"), Ok(fields("bill", "7", "3", None)));
    }

    #[test]
    fn blanks_around_a_field_do_not_count() {
        let right = Ok(fields("bill", "7", "3", Some("moodle")));
        assert_eq!(read(" bill , 7,3 ,\tmoodle\r\n"), right);
        assert_eq!(read(" \"bill\" ,7, \"3\",moodle "), right);
    }

    #[test]
    fn quotes_hold_commas_and_quotes() {
        assert_eq!(
            read(r#""Doe, ""Jo""",7,3,moodle"#),
            Ok(fields(r#"Doe, "Jo""#, "7", "3", Some("moodle")))
        );
        assert_eq!(
            read(r#""bill","7","3","moodle" "#),
            Ok(fields("bill", "7", "3", Some("moodle")))
        );
    }

    #[test]
    fn a_mistake_is_about_its_field_alone() {
        let about = |error: CustomCsvError| {
            let all = [Field::User, Field::Course, Field::Section, Field::CourseUrl];
            Vec::from_iter(all.into_iter().filter(|field| error.is_about(*field)))
        };
        assert_eq!(about(CustomCsvError::CourseUrl), [Field::CourseUrl]);
        let words = Field::Course.words();
        assert_eq!(about(CustomCsvError::Empty(words)), [Field::Course]);
        assert_eq!(about(CustomCsvError::TooLong(words)), [Field::Course]);
        assert_eq!(about(CustomCsvError::Control(words)), [Field::Course]);
        assert_eq!(about(CustomCsvError::NotARecord("")), []);
    }

    #[test]
    fn empty_fields_after_the_last_expected_one_are_ignored() {
        assert_eq!(
            read("bill,7,3,moodle,"),
            Ok(fields("bill", "7", "3", Some("moodle")))
        );
        assert_eq!(
            read("bill,7,3,moodle, ,,"),
            Ok(fields("bill", "7", "3", Some("moodle")))
        );
        let csv = CustomCsv::parse("2345,6789,http://l.example/c,,", &dotlrn()).unwrap();
        assert_eq!(csv.course_url.as_deref(), Some("http://l.example/c"));
    }

    #[test]
    fn an_empty_section_is_fine_but_user_course_and_server_are_not() {
        assert_eq!(
            read("bill,7,,moodle"),
            Ok(fields("bill", "7", "", Some("moodle")))
        );
        assert_eq!(read("bill,7,3,"), Err(CustomCsvError::Empty("server id")));
        assert_eq!(read("bill,7,3,,"), Err(CustomCsvError::Empty("server id")));
        assert_eq!(read(",7,3,moodle"), Err(CustomCsvError::Empty("user")));
        assert_eq!(read("\" \",7,3,moodle"), Err(CustomCsvError::Empty("user")));
        assert_eq!(read("bill,,3,moodle"), Err(CustomCsvError::Empty("course")));
        assert_eq!(
            CustomCsv::parse("bill,7,", &dotlrn()),
            Err(CustomCsvError::Empty("course address"))
        );
    }

    #[test]
    fn another_number_of_fields_is_refused() {
        for wrong in [
            "",
            " ",
            "bill",
            "bill,7",
            "bill,7,3,moodle,x",
            "bill,7,3,moodle,,x",
        ] {
            assert!(
                matches!(read(wrong), Err(CustomCsvError::FieldCount { .. })),
                "{wrong:?}"
            );
        }
        assert!(CustomCsv::parse("a,b,http://c,moodle", &dotlrn()).is_err());
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for wrong in [
            "\"bill,7,3,moodle",
            "bi\"ll,7,3,moodle",
            "\"bill\"x,7,3,moodle",
            "a,7,3,m\nb,7,3,m",
        ] {
            assert!(
                matches!(read(wrong), Err(CustomCsvError::NotARecord(_))),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn control_characters_and_endless_fields_are_refused() {
        assert_eq!(
            read("bill\u{0},7,3,moodle"),
            Err(CustomCsvError::Control("user"))
        );
        assert_eq!(
            read("bill,\"7\r\nSet-Cookie: a=b\",3,moodle"),
            Err(CustomCsvError::Control("course"))
        );
        let long = "a".repeat(256);
        assert_eq!(
            read(&format!("{long},7,3,moodle")),
            Err(CustomCsvError::TooLong("user"))
        );
        assert!(read(&format!("{},7,3,moodle", &long[1..])).is_ok());
    }

    #[test]
    fn a_server_id_that_no_server_can_have_is_kept_apart() {
        assert_eq!(
            read("bill,7,3,mood le"),
            Ok(fields("bill", "7", "3", Some("impossible")))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_quoted_record_is_read_back(
            values in proptest::collection::vec("[^\\p{Cc}]{1,40}", 3)
        ) {
            let quoted: Vec<_> =
                values.iter().map(|v| format!("\"{}\"", v.replace('"', "\"\""))).collect();
            let trimmed: Vec<_> = values.iter().map(|v| trim_blanks(v)).collect();
            prop_assume!(!trimmed[0].is_empty() && !trimmed[1].is_empty());
            let got = read(&format!("{},moodle", quoted.join(",")));
            prop_assert_eq!(got, Ok(fields(trimmed[0], trimmed[1], trimmed[2], Some("moodle"))));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[\",\\PC\\s]{0,60}") {
            let _ = CustomCsv::parse(&text, &moodle());
        }
    }
}
