//! The fields of longer forms: boxes, ticks and choices whose names and words are made as the form is.
//! Each renders itself, with its label, hint and mistake linked to it: `{{ input|safe }}`.

use askama::Template;

/// What is wrong with a form, and in which field; a field that the form does not show stands for all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The field's name.
    pub(super) field: String,
    /// What is wrong, as a sentence.
    pub(super) words: String,
}

impl Wrong {
    pub(super) fn new(field: impl Into<String>, words: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            words: words.into(),
        }
    }

    fn of(wrong: Option<&Self>, field: &str) -> Option<String> {
        wrong
            .filter(|wrong| wrong.field == field)
            .map(|wrong| wrong.words.clone())
    }
}

/// A box of one line.
#[derive(Template)]
#[template(path = "admin/input.html")]
pub(super) struct Input {
    name: String,
    label: String,
    kind: &'static str,
    hint: String,
    value: String,
    placeholder: String,
    required: bool,
    error: Option<String>,
}

impl Input {
    /// A line of text that may be empty.
    pub(super) fn text(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind: "text",
            hint: String::new(),
            value: String::new(),
            placeholder: String::new(),
            required: false,
            error: None,
        }
    }

    /// A secret: what was typed is not sent back.
    pub(super) fn secret(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            kind: "password",
            ..Self::text(name, label)
        }
    }

    /// A day, as browsers have it: 2026-01-31.
    pub(super) fn day(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            kind: "date",
            ..Self::text(name, label)
        }
    }

    /// What must not be empty.
    pub(super) fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// What helps to fill it in.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: hint.into(),
            ..self
        }
    }

    /// What holds where it is empty.
    pub(super) fn placeholder(self, placeholder: &str) -> Self {
        Self {
            placeholder: placeholder.to_owned(),
            ..self
        }
    }

    /// What is in it.
    pub(super) fn value(self, value: &str) -> Self {
        Self {
            value: value.to_owned(),
            ..self
        }
    }

    /// What is wrong with it, where `wrong` is about it.
    pub(super) fn wrong(self, wrong: Option<&Wrong>) -> Self {
        let error = Wrong::of(wrong, &self.name);
        Self { error, ..self }
    }

    /// Whether something is wrong with it.
    pub(super) fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    /// Whether there is something in it.
    pub(super) fn is_filled(&self) -> bool {
        !self.value.is_empty()
    }
}

/// On or off.
#[derive(Template)]
#[template(path = "admin/tick.html")]
pub(super) struct Tick {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) on: bool,
    error: Option<String>,
}

impl Tick {
    pub(super) fn new(name: impl Into<String>, label: impl Into<String>, on: bool) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            hint: String::new(),
            on,
            error: None,
        }
    }

    /// What it means.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: hint.into(),
            ..self
        }
    }

    /// What is wrong with it, as a sentence, where something is.
    pub(super) fn error(self, error: Option<String>) -> Self {
        Self { error, ..self }
    }
}

/// One of a few, each with what it means.
#[derive(Template)]
#[template(path = "admin/choice.html")]
pub(super) struct Choice {
    name: String,
    label: String,
    chosen: String,
    options: Vec<ChoiceOption>,
    error: Option<String>,
}

struct ChoiceOption {
    value: &'static str,
    label: &'static str,
    hint: &'static str,
}

impl Choice {
    /// A choice of which `chosen` is the option that is on.
    pub(super) fn new(name: impl Into<String>, label: impl Into<String>, chosen: &str) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            chosen: chosen.to_owned(),
            options: Vec::new(),
            error: None,
        }
    }

    /// One more option: its value, its name, and what it means.
    pub(super) fn option(
        mut self,
        value: &'static str,
        label: &'static str,
        hint: &'static str,
    ) -> Self {
        self.options.push(ChoiceOption { value, label, hint });
        self
    }

    /// What is wrong with it, where `wrong` is about it.
    pub(super) fn wrong(self, wrong: Option<&Wrong>) -> Self {
        let error = Wrong::of(wrong, &self.name);
        Self { error, ..self }
    }

    /// Whether something is wrong with it.
    pub(super) fn is_wrong(&self) -> bool {
        self.error.is_some()
    }
}

/// One of many, from a list that folds out.
#[derive(Template)]
#[template(path = "admin/select.html")]
pub(super) struct Select {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    chosen: String,
    /// Values with their words.
    options: Vec<(String, String)>,
    error: Option<String>,
}

impl Select {
    /// A list of which `chosen` is shown.
    pub(super) fn new(
        name: &'static str,
        label: &'static str,
        options: Vec<(String, String)>,
        chosen: &str,
    ) -> Self {
        Self {
            name,
            label,
            hint: "",
            chosen: chosen.to_owned(),
            options,
            error: None,
        }
    }

    /// What helps to choose.
    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// What is wrong with it, where `wrong` is about it.
    pub(super) fn wrong(self, wrong: Option<&Wrong>) -> Self {
        let error = Wrong::of(wrong, self.name);
        Self { error, ..self }
    }

    /// Whether something is wrong with it.
    pub(super) fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    /// Whether there is nothing to choose from.
    pub(super) fn is_empty(&self) -> bool {
        self.options.is_empty()
    }
}
