//! The TOML form of a tool definition, and the checks that make a [`Tool`] of it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::adapter_page::{ExportPlace, Method};
use super::{
    ADAPTER_PAGE, AdapterPage, Address, AddressError, ConfigItem, IdForm, Output, OutputKind, Tool,
    Value,
};
use crate::domain::base_url::BaseUrl;
use crate::domain::custom_csv::{Field, Form};
use crate::domain::id::Signature;

/// A definition as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    signature: Signature,
    title: String,
    #[serde(default)]
    id_form: IdForm,
    #[serde(default = "yes")]
    callback_names_content: bool,
    custom_csv: WrittenForm,
    addresses: WrittenAddresses,
    adapter_page: WrittenAdapterPage,
    #[serde(default)]
    outputs: Vec<WrittenOutput>,
    #[serde(default)]
    config: Vec<WrittenConfigItem>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenForm {
    fields: Vec<Field>,
    older: Option<Vec<Field>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAddresses {
    author_new: String,
    author_saved: String,
    learner: String,
    preview: Option<String>,
    teacher: Option<String>,
    monitor: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAdapterPage {
    address: String,
    parameters: String,
    #[serde(default)]
    import_parameters: String,
    export_place: Option<ExportPlace>,
    delete: Option<Method>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOutput {
    name: String,
    options: Option<WrittenOptions>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOptions {
    method: Method,
    parameters: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenConfigItem {
    name: String,
    label: String,
    default: Option<String>,
    #[serde(default)]
    required: bool,
}

fn yes() -> bool {
    true
}

/// Why a definition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// It is not of the form; the message names line and key.
    #[error("{0}")]
    Form(String),
    /// An address template is wrong.
    #[error("addresses.{0}: {1}")]
    Address(&'static str, AddressError),
    /// Parameters of calls to the adapter page are wrong.
    #[error("{0}: {1}")]
    Parameters(&'static str, AddressError),
    /// Parameters that name an option are wrong, of the output of this index.
    #[error("{OPTION_PARAMETERS}: {1}")]
    OptionParameters(usize, AddressError),
    /// The output of this index makes no sense.
    #[error("outputs: {1}")]
    Output(usize, String),
    /// The address of the adapter page is none.
    #[error("adapter_page.address: must be an http(s) address, or relative to the server's url")]
    AdapterPage,
    /// The fields of customCSV make no sense.
    #[error("custom_csv.{0}")]
    CustomCsv(&'static str),
    /// The configuration item of this index makes no sense.
    #[error("config: {1}")]
    Item(usize, String),
    /// What is configured on a server makes no sense.
    #[error("config: {0}")]
    Config(String),
}

/// The values of a tool's configuration items on one server.
pub type ItemValues = BTreeMap<String, String>;

impl Tool {
    /// Reads a definition, a TOML document of the form of `builtin/*.toml`.
    pub fn from_toml(text: &str) -> Result<Self, DefinitionError> {
        toml::from_str(text)
            .map_err(|error| DefinitionError::Form(error.to_string().trim_end().to_owned()))
    }

    /// Checks what is configured for the tool on one server: known items, and the required ones there.
    pub fn check_items(&self, values: &ItemValues, mapped: bool) -> Result<(), DefinitionError> {
        let known =
            |name: &String| name == ADAPTER_PAGE || self.config.iter().any(|i| i.name == *name);
        if let Some(unknown) = values.keys().find(|name| !known(name)) {
            let message = format!("{} has no item {unknown:?}", self.signature);
            return Err(DefinitionError::Config(message));
        }
        let lacks = |item: &&ConfigItem| {
            item.required && item.default.is_none() && !values.contains_key(&item.name)
        };
        match self.config.iter().find(lacks) {
            Some(item) if mapped => {
                let message = format!(
                    "{} needs the item {:?} on its server",
                    self.signature, item.name
                );
                Err(DefinitionError::Config(message))
            }
            _ => Ok(()),
        }
    }
}

impl TryFrom<Written> for Tool {
    type Error = DefinitionError;
    fn try_from(definition: Written) -> Result<Self, DefinitionError> {
        let form = Form {
            fields: definition.custom_csv.fields,
            older: definition.custom_csv.older,
        };
        check_form(&form)?;
        let config: Vec<_> = definition
            .config
            .into_iter()
            .map(|item| ConfigItem {
                name: item.name,
                label: item.label,
                default: item.default,
                required: item.required,
            })
            .collect();
        check_config(&config)?;

        let anywhere =
            BaseUrl::parse("http://server.invalid/").map_err(|_| DefinitionError::AdapterPage)?;
        let page = &definition.adapter_page.address;
        if page.contains(char::is_whitespace) || anywhere.join(page).is_err() {
            return Err(DefinitionError::AdapterPage);
        }

        let reader = Reader {
            form: &form,
            config: &config,
        };
        let written = definition.addresses;
        let learner = reader.address("learner", &written.learner)?;
        let or_learner = |name, text: Option<String>| match text {
            Some(text) => reader.address(name, &text),
            None => Ok(learner.clone()),
        };
        Ok(Tool {
            author_new: reader.address("author_new", &written.author_new)?,
            author_saved: reader.address("author_saved", &written.author_saved)?,
            preview: or_learner("preview", written.preview)?,
            teacher: or_learner("teacher", written.teacher)?,
            monitor: reader.address("monitor", &written.monitor)?,
            adapter_page: reader.adapter_page(definition.adapter_page)?,
            outputs: reader.outputs(definition.outputs)?,
            learner,
            signature: definition.signature,
            title: definition.title,
            id_form: definition.id_form,
            callback_names_content: definition.callback_names_content,
            custom_csv: form,
            config,
        })
    }
}

fn check_form(form: &Form) -> Result<(), DefinitionError> {
    let wrong = |what| Err(DefinitionError::CustomCsv(what));
    let lacking = [
        "fields: must hold \"user\" and \"course\"",
        "older: must hold \"user\" and \"course\"",
    ];
    let twice = ["fields: names a field twice", "older: names a field twice"];
    for (i, fields) in [Some(&form.fields), form.older.as_ref()]
        .into_iter()
        .flatten()
        .enumerate()
    {
        if !fields.contains(&Field::User) || !fields.contains(&Field::Course) {
            return wrong(lacking[i]);
        }
        let doubled = |(at, field): (usize, &Field)| fields[..at].contains(field);
        if fields.iter().enumerate().any(doubled) {
            return wrong(twice[i]);
        }
    }
    match &form.older {
        Some(older) if older.len() == form.fields.len() => {
            wrong("older: must have another number of fields than fields")
        }
        Some(older) if older.iter().any(|field| !form.fields.contains(field)) => {
            wrong("older: must not hold a field that fields has not")
        }
        _ => Ok(()),
    }
}

fn check_config(config: &[ConfigItem]) -> Result<(), DefinitionError> {
    for (i, item) in config.iter().enumerate() {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if item.name.is_empty() || !item.name.bytes().all(plain) || item.name == ADAPTER_PAGE {
            let message = format!("{:?} is no name for an item (a-z, 0-9, _)", item.name);
            return Err(DefinitionError::Item(i, message));
        }
        if config[..i].iter().any(|other| other.name == item.name) {
            let message = format!("{:?} is declared twice", item.name);
            return Err(DefinitionError::Item(i, message));
        }
    }
    Ok(())
}

const OPTION_PARAMETERS: &str = "outputs.options.parameters";

/// Reads the templates of one definition, each with the values that exist where it is used.
struct Reader<'a> {
    form: &'a Form,
    config: &'a [ConfigItem],
}

impl Reader<'_> {
    fn address(&self, name: &'static str, text: &str) -> Result<Address, DefinitionError> {
        let wrong = |error| DefinitionError::Address(name, error);
        let address = Address::whole(text).map_err(wrong)?;
        let authoring = name.starts_with("author");
        self.check(&address, name, |value| match value {
            Value::UpdateUrl | Value::ToolContentId => authoring,
            Value::ExtToolContentId => name == "author_saved",
            Value::ReturnUrl | Value::ToolSessionId | Value::ExtSessionId | Value::IsFinished => {
                !authoring
            }
            Value::Option => false,
            _ => true,
        })
        .map_err(wrong)?;
        Ok(address)
    }

    fn adapter_page(&self, written: WrittenAdapterPage) -> Result<AdapterPage, DefinitionError> {
        let parameters = self.parameters("adapter_page.parameters", &written.parameters)?;
        let import_parameters =
            self.parameters("adapter_page.import_parameters", &written.import_parameters)?;
        Ok(AdapterPage {
            address: written.address,
            parameters,
            import_parameters,
            export_place: written.export_place,
            delete: written.delete,
        })
    }

    fn outputs(&self, written: Vec<WrittenOutput>) -> Result<Vec<Output>, DefinitionError> {
        let mut outputs: Vec<Output> = Vec::new();
        for (i, WrittenOutput { name, options }) in written.into_iter().enumerate() {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
            if !(1..=128).contains(&name.len()) || !name.bytes().all(plain) {
                let message =
                    format!("{name:?} is no name for an output (letters, digits, '.', '-', '_')");
                return Err(DefinitionError::Output(i, message));
            }
            if outputs.iter().any(|other| other.name == name) {
                let message = format!("{name:?} is declared twice");
                return Err(DefinitionError::Output(i, message));
            }
            let kind = match options {
                None => OutputKind::Long,
                Some(options) => OutputKind::Options {
                    method: options.method,
                    parameters: self
                        .parameters(OPTION_PARAMETERS, &options.parameters)
                        .map_err(|error| match error {
                            DefinitionError::Parameters(_, error) => {
                                DefinitionError::OptionParameters(i, error)
                            }
                            other => other,
                        })?,
                },
            };
            outputs.push(Output { name, kind });
        }
        Ok(outputs)
    }

    fn parameters(&self, place: &'static str, text: &str) -> Result<Address, DefinitionError> {
        let wrong = |error| DefinitionError::Parameters(place, error);
        let address = Address::parameters(text).map_err(wrong)?;
        self.check(&address, place, |value| match value {
            Value::User | Value::Course | Value::Section | Value::Config(_) | Value::ExtLmsId => {
                true
            }
            Value::Option => place == OPTION_PARAMETERS,
            _ => false,
        })
        .map_err(wrong)?;
        Ok(address)
    }

    /// Refuses a value that there is none of: not here, not in this customCSV, not declared.
    fn check(
        &self,
        address: &Address,
        place: &'static str,
        here: impl Fn(&Value) -> bool,
    ) -> Result<(), AddressError> {
        let exists = |value: &Value| match value {
            Value::Section => self.form.fields.contains(&Field::Section),
            Value::CourseUrl => self.form.fields.contains(&Field::CourseUrl),
            Value::Config(name) => self.config.iter().any(|item| item.name == *name),
            _ => true,
        };
        match address
            .values()
            .find(|value| !here(value) || !exists(value))
        {
            Some(value) => Err(AddressError::NotHere(value.to_string(), place)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = r#"
signature = "mine"
title = "My tool"
[custom_csv]
fields = ["user", "course", "section", "ext_lms_id"]
[addresses]
author_new = "{server}new?u={update_url}"
author_saved = "{server}edit?u={update_url}&id={ext_tool_content_id}&f={config.forum}"
learner = "{server}view?id={ext_session_id}&r={return_url}"
monitor = "{server}look?id={ext_session_id}"
[adapter_page]
address = "adapter"
parameters = "un={user}&cs={course}"
[[config]]
name = "forum"
label = "Forum"
required = true
"#;

    fn refused(from: &str, to: &str) -> String {
        assert!(RIGHT.contains(from), "{from}");
        Tool::from_toml(&RIGHT.replace(from, to))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let tool = Tool::from_toml(RIGHT).unwrap();
        assert_eq!(tool.preview, tool.learner);
        assert_eq!(tool.teacher, tool.learner);
        assert_eq!(tool.id_form, IdForm::Number);
        assert!(tool.callback_names_content);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        assert!(
            refused("title", "titel").contains("line 3"),
            "{}",
            refused("title", "titel")
        );
        insta::assert_snapshot!(
            refused("&r={return_url}", "&u={update_url}"),
            @"addresses.learner: {update_url} has no value in learner"
        );
        insta::assert_snapshot!(
            refused("&r={return_url}", "&x={ext_tool_content_id}"),
            @"addresses.learner: {ext_tool_content_id} has no value in learner"
        );
        insta::assert_snapshot!(
            refused("&f={config.forum}", "&r={return_url}"),
            @"addresses.author_saved: {return_url} has no value in author_saved"
        );
        insta::assert_snapshot!(
            refused("&f={config.forum}", "&f={config.form}"),
            @"addresses.author_saved: {config.form} has no value in author_saved"
        );
        insta::assert_snapshot!(
            refused("\"course\", ", ""),
            @r#"custom_csv.fields: must hold "user" and "course""#
        );
        insta::assert_snapshot!(
            refused("un={user}", "un={ext_session_id}"),
            @"adapter_page.parameters: {ext_session_id} has no value in adapter_page.parameters"
        );
        insta::assert_snapshot!(
            refused("&cs={course}", "&o={option}"),
            @"adapter_page.parameters: {option} has no value in adapter_page.parameters"
        );
        for (outputs, words) in [
            ("[[outputs]]\nname = \"a b\"", "outputs: \"a b\" is no name"),
            (
                "[[outputs]]\nname = \"a\"\n[[outputs]]\nname = \"a\"",
                "outputs: \"a\" is declared twice",
            ),
            (
                "[[outputs]]\nname = \"a\"\noptions = { method = \"a b\", parameters = \"\" }",
                "a method is 1 to 64 letters",
            ),
        ] {
            let refused = refused("[[config]]", &format!("{outputs}\n[[config]]"));
            assert!(refused.contains(words), "{refused}");
        }
        for wrong in ["ftp://h/a", "a b", "http://"] {
            let refused = refused("address = \"adapter\"", &format!("address = {wrong:?}"));
            assert!(
                refused.contains("adapter_page.address: must be"),
                "{refused}"
            );
        }
        for (older, words) in [
            (
                r#"["user", "course", "ext_lms_id", "section"]"#,
                "another number of fields",
            ),
            (
                r#"["user", "course", "course_url"]"#,
                "a field that fields has not",
            ),
            (r#"["user", "section"]"#, "must hold"),
        ] {
            let refused = refused("[addresses]", &format!("older = {older}\n[addresses]"));
            assert!(refused.contains(words), "{refused}");
        }
        insta::assert_snapshot!(
            refused("{server}view", "{course_url}/view"),
            @"addresses.learner: {course_url} has no value in learner"
        );
        insta::assert_snapshot!(
            refused("&r={return_url}", "&o={option}"),
            @"addresses.learner: {option} has no value in learner"
        );
        let another =
            |name: &str| format!("[[config]]\nname = \"{name}\"\nlabel = \"x\"\n[[config]]");
        let twice = refused("[[config]]", &another("forum"));
        assert!(twice.contains("\"forum\" is declared twice"), "{twice}");
        let two = RIGHT.replacen("[[config]]", &another("other"), 1);
        assert_eq!(Tool::from_toml(&two).unwrap().config.len(), 2);
        let named = RIGHT.replacen("[[config]]", &another("an_other2"), 1);
        assert_eq!(Tool::from_toml(&named).unwrap().config[0].name, "an_other2");
        insta::assert_snapshot!(
            refused("name = \"forum\"", "name = \"Forum!\""),
            @r#"config: "Forum!" is no name for an item (a-z, 0-9, _)"#
        );
    }

    #[test]
    fn a_server_gives_the_items_that_the_tool_declares() {
        let tool = Tool::from_toml(RIGHT).unwrap();
        let items = |pairs: &[(&str, &str)]| -> ItemValues {
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        assert!(
            tool.check_items(&items(&[("forum", "x"), ("adapter_page", "y")]), true)
                .is_ok()
        );
        assert!(tool.check_items(&items(&[]), true).is_err());
        assert!(tool.check_items(&items(&[]), false).is_ok());
        assert!(
            tool.check_items(&items(&[("forum", "x"), ("other", "y")]), true)
                .is_err()
        );
    }
}
