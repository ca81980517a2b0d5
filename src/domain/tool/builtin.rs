//! The ten adapters that LAMS ships.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Tool;

const DEFINITIONS: [&str; 10] = [
    include_str!("builtin/mdfrum10.toml"),
    include_str!("builtin/mdchat10.toml"),
    include_str!("builtin/mdasgm10.toml"),
    include_str!("builtin/mdscrm10.toml"),
    include_str!("builtin/mdquiz10.toml"),
    include_str!("builtin/mdlesn10.toml"),
    include_str!("builtin/mdchce10.toml"),
    include_str!("builtin/mdwiki10.toml"),
    include_str!("builtin/mdglos10.toml"),
    include_str!("builtin/dlfrum10.toml"),
];

/// The ten built-in adapters, in the order in which sysadmins see them.
pub fn builtin_tools() -> impl Iterator<Item = Tool> {
    DEFINITIONS.iter().map(|text| {
        Tool::from_toml(text)
            .expect("the built-in definitions are right: a test reads each of them")
    })
}

/// The text of a built-in adapter's definition; nothing where none has the signature.
pub fn builtin_definition(signature: &str) -> Option<&'static str> {
    static BY_SIGNATURE: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
        let signatures = builtin_tools().map(|tool| tool.signature.to_string());
        signatures.zip(DEFINITIONS).collect()
    });
    BY_SIGNATURE.get(signature).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_signature() {
        for tool in builtin_tools() {
            let text = builtin_definition(tool.signature.as_str()).unwrap();
            assert_eq!(Tool::from_toml(text).unwrap().signature, tool.signature);
        }
        assert_eq!(builtin_definition("mine"), None);
    }

    #[test]
    fn templates_are_written_as_they_are_read() {
        for tool in builtin_tools() {
            let text = builtin_definition(tool.signature.as_str()).unwrap();
            for address in [
                &tool.author_new,
                &tool.author_saved,
                &tool.learner,
                &tool.teacher,
                &tool.monitor,
                &tool.adapter_page.parameters,
            ] {
                assert!(text.contains(&format!("= \"{address}\"")), "{address}");
            }
        }
    }

    #[test]
    fn all_ten_are_read() {
        let signatures: Vec<_> = builtin_tools()
            .map(|tool| tool.signature.to_string())
            .collect();
        assert_eq!(
            signatures,
            [
                "mdfrum10", "mdchat10", "mdasgm10", "mdscrm10", "mdquiz10", "mdlesn10", "mdchce10",
                "mdwiki10", "mdglos10", "dlfrum10"
            ]
        );
    }
}
