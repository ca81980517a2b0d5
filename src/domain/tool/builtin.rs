//! The ten adapters that LAMS ships.

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

#[cfg(test)]
mod tests {
    use super::*;

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
