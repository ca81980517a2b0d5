//! What a definition says, in words.

use crate::domain::custom_csv::Field;
use crate::domain::tool::{Address, IdForm, OutputKind, Tool};

/// What a tool is, as its page tells it.
pub(super) struct About {
    /// The fields of customCSV, in order.
    pub(super) fields: Vec<&'static str>,
    /// Those of the older form, where it is taken.
    pub(super) older: Option<Vec<&'static str>>,
    /// What external ids are.
    pub(super) ids: &'static str,
    /// Who names the content in the callback.
    pub(super) callback: &'static str,
    /// Each page: what it is, its name in the definition, its template.
    pub(super) pages: Vec<(&'static str, &'static str, String)>,
    /// Where calls go, and what each says of who and where.
    pub(super) calls_to: (String, String),
    /// Each call: what it is for, its method, what is worth knowing.
    pub(super) calls: Vec<(&'static str, String, String)>,
    /// Each setting on a server: name, label, what holds without it.
    pub(super) settings: Vec<(String, String, String)>,
}

impl About {
    pub(super) fn of(tool: &Tool) -> Self {
        let words = |fields: &[Field]| fields.iter().map(|field| field.words()).collect();
        let template = |address: &Address| address.to_string();
        let settings = tool.config.iter().map(|item| {
            let without = match (&item.default, item.required) {
                (Some(default), _) => format!("without it: {default}"),
                (None, true) => "each server needs it".to_owned(),
                (None, false) => "optional".to_owned(),
            };
            (item.name.clone(), item.label.clone(), without)
        });
        Self {
            fields: words(&tool.custom_csv.fields),
            older: tool.custom_csv.older.as_deref().map(words),
            ids: match tool.id_form {
                IdForm::Number => "positive numbers",
                IdForm::Opaque => "texts of 1 to 255 letters, digits, “.”, “-”, “_”, “~” or “:”",
            },
            callback: if tool.callback_names_content {
                "The callback address names the content."
            } else {
                "The callback address does not name the content: the external page adds toolContentID itself."
            },
            pages: vec![
                (
                    "Author, new content",
                    "author_new",
                    template(&tool.author_new),
                ),
                (
                    "Author, saved content",
                    "author_saved",
                    template(&tool.author_saved),
                ),
                ("Learner", "learner", template(&tool.learner)),
                ("Author’s preview", "preview", template(&tool.preview)),
                ("Teacher", "teacher", template(&tool.teacher)),
                ("Monitor", "monitor", template(&tool.monitor)),
            ],
            calls_to: (
                tool.adapter_page.address.clone(),
                tool.adapter_page.parameters.to_string(),
            ),
            calls: calls(tool),
            settings: settings.collect(),
        }
    }
}

fn calls(tool: &Tool) -> Vec<(&'static str, String, String)> {
    let page = &tool.adapter_page;
    let code = |method: &str| method.to_owned();
    let in_whose_name = match &page.export_place {
        Some(place) => format!("Always in the name of {place}."),
        None => "In the name of who saved the content.".to_owned(),
    };
    let import = match page.import_parameters.to_string() {
        more if more.is_empty() => String::new(),
        more => format!("With {more} besides."),
    };
    let outputs = tool.outputs.iter().map(|output| match &output.kind {
        OutputKind::Long => format!("{}, a whole number", output.name),
        OutputKind::Options { method, .. } => {
            format!(
                "{} of each option; {} lists them",
                output.name,
                method.as_str()
            )
        }
    });
    let outputs = match Vec::from_iter(outputs) {
        none if none.is_empty() => "It has none.".to_owned(),
        some => format!("{}.", some.join("; ")),
    };
    let (delete, deleted) = match &page.delete {
        Some(method) => (method.as_str(), "When LAMS removes what was made."),
        None => (
            "none",
            "What was made stays on the server when LAMS removes it.",
        ),
    };
    vec![
        ("Clone", code("clone"), "A copy of content.".to_owned()),
        (
            "Session",
            code("clone"),
            "Each group gets a copy of its own.".to_owned(),
        ),
        ("Export", code("export"), in_whose_name),
        ("Import", code("import"), import),
        ("Outputs", code("output"), outputs),
        (
            "Portfolio",
            code("export_portfolio"),
            "A learner’s work.".to_owned(),
        ),
        ("Delete", code(delete), deleted.to_owned()),
    ]
}
