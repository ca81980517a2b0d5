//! A tool in the form of a server.

use std::collections::BTreeMap;

use crate::domain::tool::{ADAPTER_PAGE, Tool};
use crate::web::admin::input::{Input, Tick, Wrong};

/// A tool in the form: whether it is there, and what is set for it.
pub(super) struct ToolRow {
    pub(super) tick: Tick,
    pub(super) items: Vec<Input>,
    /// Whether its settings are unfolded.
    pub(super) open: bool,
}

impl ToolRow {
    /// A tool, whether the server has it, and what is set for it there.
    pub(super) fn of(
        tool: &Tool,
        has: bool,
        set: Option<&BTreeMap<String, String>>,
        wrong: Option<&Wrong>,
    ) -> Self {
        let signature = tool.signature.as_str();
        let set = |name: &str| {
            set.and_then(|items| items.get(name))
                .map_or("", |value| value)
        };
        let page = Input::text(field_of(signature, ADAPTER_PAGE), "Adapter page")
            .hint("Absolute, or relative to the address.")
            .placeholder(&tool.adapter_page.address)
            .value(set(ADAPTER_PAGE));
        let own = tool.config.iter().map(|item| {
            let input = Input::text(field_of(signature, &item.name), item.label.as_str())
                .placeholder(item.default.as_deref().unwrap_or_default())
                .value(set(&item.name));
            if item.required && item.default.is_none() {
                input.hint(format!("{} needs it.", tool.title))
            } else {
                input
            }
        });
        let items: Vec<Input> = std::iter::once(page)
            .chain(own)
            .map(|input| input.wrong(wrong))
            .collect();
        Self {
            tick: Tick::new(format!("tool.{signature}"), tool.title.as_str(), has).hint(signature),
            open: items
                .iter()
                .any(|input| input.is_filled() || input.is_wrong()),
            items,
        }
    }
}

/// The items that can be set for a tool: its adapter page, and its own.
pub(super) fn item_names(tool: &Tool) -> impl Iterator<Item = &str> {
    std::iter::once(ADAPTER_PAGE).chain(tool.config.iter().map(|item| item.name.as_str()))
}

/// The field of an item in the form.
pub(super) fn field_of(signature: &str, item: &str) -> String {
    format!("settings.{signature}.{item}")
}
