//! The kinds of LMSs, by short names and by the names of Joanie's classes.

/// How an LMS is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// Open edX's enrollment API.
    OpenEdx,
    /// Moodle's web services.
    Moodle,
    /// None: remembers in memory what it was told, for trying.
    Dummy,
    /// None: every enrollment fails, for trying what happens then.
    Failing,
    /// None: it can do nothing, and only takes its place in the selection.
    Base,
}

impl Backend {
    /// All of them, each with its short name and Joanie's class.
    const NAMES: [(Self, &'static str, &'static str); 5] = [
        (Self::OpenEdx, "openedx", "openedx.OpenEdXLMSBackend"),
        (Self::Moodle, "moodle", "moodle.MoodleLMSBackend"),
        (Self::Dummy, "dummy", "dummy.DummyLMSBackend"),
        (Self::Failing, "failing", "failing.FailingLMSBackend"),
        (Self::Base, "base", "base.BaseLMSBackend"),
    ];

    /// From a short name, or the path of Joanie's class.
    pub fn named(name: &str) -> Option<Self> {
        let class = name.strip_prefix("joanie.lms_handler.backends.");
        let mut names = Self::NAMES.iter();
        names
            .find(|(_, short, path)| name == *short || class == Some(path))
            .map(|(backend, _, _)| *backend)
    }

    /// Its short name.
    pub fn as_str(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        names
            .find(|(backend, _, _)| *backend == self)
            .map_or("", |(_, short, _)| short)
    }

    /// Whether there is an LMS behind it that is called.
    pub fn is_called(self) -> bool {
        matches!(self, Self::OpenEdx | Self::Moodle)
    }

    /// Whether its course is found in a link by a group of the course expression.
    pub fn needs_course_group(self) -> bool {
        matches!(self, Self::OpenEdx | Self::Dummy)
    }
}

/// Which of Open edX's grades APIs is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GradesApi {
    /// The plug-in of France Université Numérique, which Joanie asks.
    #[default]
    Fun,
    /// Open edX's own.
    Core,
}

impl GradesApi {
    /// From its name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Fun, Self::Core]
            .into_iter()
            .find(|api| api.as_str() == name)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fun => "fun",
            Self::Core => "core",
        }
    }
}
