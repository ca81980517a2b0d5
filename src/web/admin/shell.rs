//! What is pasted into a shell.

/// A literal of a shell: within single quotes nothing but these means anything.
pub(super) fn in_shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
