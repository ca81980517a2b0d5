//! What an application of a file did, or would do.

use std::fmt;

/// One object's fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Created,
    /// These of its fields changed.
    Changed(Vec<&'static str>),
    /// The file says what was there already.
    Same,
    /// The file does not name it.
    NotNamed,
}

/// What happened to each object, and what is worth a second look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Kind (`platform`, `server`, `tool`), id and fate.
    pub objects: Vec<(&'static str, String, Outcome)>,
    /// Warnings, in words.
    pub warnings: Vec<String>,
}

impl Report {
    /// The report in the words of a plan.
    pub fn as_plan(&self) -> AsPlan<'_> {
        AsPlan(self)
    }

    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        [created, changed, left]: [&str; 3],
    ) -> fmt::Result {
        for (kind, id, outcome) in &self.objects {
            match outcome {
                Outcome::Created => writeln!(f, "{created} {kind} {id}")?,
                Outcome::Changed(fields) => {
                    writeln!(f, "{changed} {kind} {id}: {}", fields.join(", "))?
                }
                Outcome::Same => writeln!(f, "{left} {kind} {id}: as the file says already")?,
                Outcome::NotNamed => writeln!(f, "{left} {kind} {id}: not in the file")?,
            }
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, ["created", "changed", "left"])
    }
}

/// See [`Report::as_plan`].
pub struct AsPlan<'a>(&'a Report);

impl fmt::Display for AsPlan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .write(f, ["would create", "would change", "would leave"])
    }
}
