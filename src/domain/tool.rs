//! A tool adapter is data: one definition says its customCSV, its addresses with their encodings, its
//! adapter page and what a sysadmin configures for it. The ten that LAMS ships stand in `builtin/`; a
//! sysadmin's own is one more of the same form (`docs/adapters.md`). Nothing in the gateway asks a
//! tool for its signature to decide what to do.

mod adapter_page;
mod address;
mod builtin;
mod definition;
mod mistake;
mod output;
mod part;

pub use adapter_page::{AdapterPage, Method};
pub use address::{Address, AddressError, Encoding, Fill, Value};
pub use builtin::{builtin_definition, builtin_tools};
pub use definition::{DefinitionError, ItemValues};
pub use mistake::{Mistake, place_of_signature};
pub use output::{Choice, NoChoices, Output, OutputKind, OutputValue, first_line, read_choices};

pub use part::{Out, Part, Signed, Source};

use super::custom_csv::Form;
use super::id::{ExtId, Signature, positive_number};

/// A tool adapter.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(try_from = "definition::Written")]
pub struct Tool {
    /// Its id: the context path of its pages.
    pub signature: Signature,
    /// What people call it.
    pub title: String,
    /// The form of its external ids.
    pub id_form: IdForm,
    /// The form of its customCSV.
    pub custom_csv: Form,
    /// Whether the callback address names the content; where it does not, the external page adds
    /// `toolContentID` itself.
    pub callback_names_content: bool,
    /// Author page for content that has no external id yet.
    pub author_new: Address,
    /// Author page for content that has one.
    pub author_saved: Address,
    /// Learner page of a session.
    pub learner: Address,
    /// The same for an author's preview.
    pub preview: Address,
    /// Teacher's view of a session.
    pub teacher: Address,
    /// What a monitor opens for a session.
    pub monitor: Address,
    /// Where clone, import, export and output calls go.
    pub adapter_page: AdapterPage,
    /// What can be read of a learner in a session.
    pub outputs: Vec<Output>,
    /// What a sysadmin sets per server.
    pub config: Vec<ConfigItem>,
}

/// One item of a tool's own configuration on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigItem {
    /// Its key in `[servers.settings.…]`, and in addresses as `{config.name}`.
    pub name: String,
    /// What a sysadmin reads beside it.
    pub label: String,
    /// Its value where a server has none.
    pub default: Option<String>,
    /// Whether a server mapped to the tool must have a value.
    pub required: bool,
}

/// The form of a tool's external ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdForm {
    /// Decimal digits, 1 to 2^63-1: what LAMS's protocol has.
    #[default]
    Number,
    /// 1 to 255 letters, digits, `.`, `-`, `_`, `~` or `:`.
    Opaque,
}

/// A text that is no external id of a tool's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be {0}")]
pub struct NotAnExtId(&'static str);

impl IdForm {
    /// Reads an external id, as a callback or an adapter page gives it.
    pub fn parse(self, text: &str) -> Result<ExtId, NotAnExtId> {
        match self {
            IdForm::Number => positive_number(text)
                .map(|number| ExtId::checked(number.to_string()))
                .ok_or(NotAnExtId("a positive number of decimal digits")),
            IdForm::Opaque => {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_~:".contains(&b);
                let right = (1..=255).contains(&text.len()) && text.bytes().all(plain);
                right
                    .then(|| ExtId::checked(text.to_owned()))
                    .ok_or(NotAnExtId(
                        "1 to 255 letters, digits, '.', '-', '_', '~' or ':'",
                    ))
            }
        }
    }
}

/// The setting of a server that replaces a tool's `adapter_page`.
pub const ADAPTER_PAGE: &str = "adapter_page";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opaque_id_has_1_to_255_plain_characters() {
        let longest = "a".repeat(255);
        for right in ["a-1.b_C~d:9", "7", &longest] {
            let id = IdForm::Opaque.parse(right).unwrap();
            assert_eq!(id.as_str(), right);
        }
        for wrong in ["", "a/b", "a b", "é", "a&b", &"a".repeat(256)] {
            assert!(IdForm::Opaque.parse(wrong).is_err(), "{wrong}");
        }
    }
}
