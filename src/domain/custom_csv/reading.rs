//! How a customCSV was read, for people who look for a mistake in it: each field by its name, also where the
//! whole was refused.

use super::{CustomCsv, CustomCsvError, Field, Form, record};

/// A customCSV as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Whether it has the older form, which names no server.
    pub is_older: bool,
    /// Each field with its value; without a name where the form has no field there.
    pub fields: Vec<(Option<Field>, String)>,
    /// Each of these fields as it came, with quotation marks and blanks.
    pub raw: Vec<String>,
    /// The fields that are expected and not there.
    pub missing: Vec<Field>,
    /// Why it is refused, where it is.
    pub mistake: Option<CustomCsvError>,
}

impl Reading {
    /// Reads it as [`CustomCsv::parse`] does.
    pub fn of(text: &str, form: &Form) -> Self {
        let mistake = CustomCsv::parse(text, form).err();
        let values = record(text).unwrap_or_default();
        let older = form.older.as_ref();
        let older = older.filter(|older| older.len() == values.len());
        let expected = older.unwrap_or(&form.fields);
        let missing = expected.iter().skip(values.len()).copied().collect();
        let (mut fields, mut raw) = (Vec::new(), Vec::new());
        for (i, cut) in values.into_iter().enumerate() {
            // Empty ones after the last are ignored, and nothing to show.
            if i < expected.len() || !cut.value.is_empty() {
                fields.push((expected.get(i).copied(), cut.value));
                raw.push(cut.raw.to_owned());
            }
        }
        Self {
            is_older: older.is_some(),
            fields,
            raw,
            missing,
            mistake,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Field::{Course, ExtLmsId, Section, User};

    fn read(text: &str) -> Reading {
        let form = Form {
            fields: vec![User, Course, Section, ExtLmsId],
            older: Some(vec![User, Course, Section]),
        };
        Reading::of(text, &form)
    }

    #[test]
    fn each_field_has_its_name_also_where_the_whole_is_refused() {
        let right = read("bill,7,3,moodle,");
        assert_eq!((right.fields.len(), right.is_older), (4, false));
        assert_eq!(right.fields[3], (Some(ExtLmsId), "moodle".to_owned()));
        assert_eq!(right.mistake, None);
        let quoted = read(" \"Doe, Jo\" ,7, 3,moodle");
        assert_eq!(quoted.raw, ["\"Doe, Jo\" ", "7", " 3", "moodle"]);
        assert_eq!(quoted.fields[0].1, "Doe, Jo");
        let empty = read("bill,,3,moodle");
        assert_eq!(empty.fields[1], (Some(Course), String::new()));
        let empty = empty.mistake.unwrap();
        assert!(empty.is_about(Course) && !empty.is_about(User));
        assert!(read("bill,7,3").is_older);
        let short = read("bill,7");
        assert_eq!(short.missing, [Section, ExtLmsId]);
        assert!(short.mistake.is_some());
        let long = read("bill,7,3,moodle,x");
        assert_eq!(long.fields[4], (None, "x".to_owned()));
        assert_eq!(
            read("\"bill,7").mistake,
            Some(CustomCsvError::NotARecord("a quotation mark is not closed"))
        );
    }
}
