//! The author's form as it was filled in: read, shown again, and checked into settings.

use std::collections::HashMap;

use super::activity::{Kind, Question, Settings};

/// How many questions a quiz may have.
pub(super) const QUESTIONS: usize = 5;
/// How many options a question may have.
const OPTIONS: usize = 4;

const LONGEST_TITLE: usize = 200;
const LONGEST_INTRO: usize = 4_000;
const LONGEST_QUESTION: usize = 1_000;
const LONGEST_OPTION: usize = 300;

/// The fields of the form, as written.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) title: String,
    pub(super) intro: String,
    pub(super) questions: Vec<QuestionDraft>,
}

/// The fields of one question.
#[derive(Debug, Clone, Default)]
pub(super) struct QuestionDraft {
    pub(super) text: String,
    pub(super) options: [String; OPTIONS],
    /// From 0.
    pub(super) right: Option<usize>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// The id of the field.
    pub(super) field: String,
    /// What to do.
    pub(super) words: String,
}

impl Problem {
    pub(super) fn new(field: impl Into<String>, words: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            words: words.into(),
        }
    }
}

impl QuestionDraft {
    pub(super) fn is_blank(&self) -> bool {
        self.text.is_empty() && self.options.iter().all(String::is_empty)
    }

    pub(super) fn is_right(&self, option: &usize) -> bool {
        self.right == Some(*option)
    }
}

impl Draft {
    /// The form of what is there already.
    pub(super) fn of(kind: Kind, settings: &Settings) -> Self {
        let mut questions: Vec<_> = settings.questions.iter().map(question_draft).collect();
        if kind == Kind::Quiz {
            questions.resize_with(QUESTIONS, QuestionDraft::default);
        }
        Self {
            title: settings.title.clone(),
            intro: settings.intro.clone(),
            questions,
        }
    }

    /// The form as it was sent.
    pub(super) fn read(kind: Kind, fields: &HashMap<String, String>) -> Self {
        let text = |name: &str| field(fields, name);
        let question = |n: usize| QuestionDraft {
            text: text(&format!("q{n}_text")),
            options: std::array::from_fn(|i| text(&format!("q{n}_option{}", i + 1))),
            right: text(&format!("q{n}_right"))
                .parse::<usize>()
                .ok()
                .and_then(|right| right.checked_sub(1))
                .filter(|right| *right < OPTIONS),
        };
        Self {
            title: text("title"),
            intro: text("intro"),
            questions: match kind {
                Kind::Quiz => (1..=QUESTIONS).map(question).collect(),
                Kind::Forum => Vec::new(),
            },
        }
    }

    /// What can be saved of it, or all that is wrong with it.
    pub(super) fn check(&self, kind: Kind) -> Result<Settings, Vec<Problem>> {
        let mut problems = Vec::new();
        if self.title.is_empty() {
            problems.push(Problem::new("title", "Give it a title."));
        }
        refuse_longer(
            &mut problems,
            "title",
            "The title",
            &self.title,
            LONGEST_TITLE,
        );
        refuse_longer(
            &mut problems,
            "intro",
            "The introduction",
            &self.intro,
            LONGEST_INTRO,
        );
        let mut questions = Vec::new();
        for (i, draft) in self.questions.iter().enumerate() {
            if !draft.is_blank() {
                questions.push(checked(draft, i + 1, &mut problems));
            }
        }
        if kind == Kind::Quiz && questions.is_empty() {
            problems.push(Problem::new("q1_text", "Ask at least one question."));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Settings {
            title: self.title.clone(),
            intro: self.intro.clone(),
            questions,
        })
    }
}

/// A question; what is wrong with it goes to `problems`.
fn checked(draft: &QuestionDraft, n: usize, problems: &mut Vec<Problem>) -> Question {
    let text_field = format!("q{n}_text");
    if draft.text.is_empty() {
        problems.push(Problem::new(
            &*text_field,
            format!("Question {n}: write what is asked."),
        ));
    }
    refuse_longer(
        problems,
        &text_field,
        &format!("Question {n}"),
        &draft.text,
        LONGEST_QUESTION,
    );
    let mut options: Vec<String> = Vec::new();
    let mut right = None;
    for (i, option) in draft.options.iter().enumerate() {
        if option.is_empty() {
            continue;
        }
        let option_field = format!("q{n}_option{}", i + 1);
        let called = format!("Question {n}, answer {}", i + 1);
        refuse_longer(problems, &option_field, &called, option, LONGEST_OPTION);
        if options.contains(option) {
            problems.push(Problem::new(
                option_field,
                format!("{called}: it is there twice."),
            ));
        }
        if draft.right == Some(i) {
            right = Some(options.len());
        }
        options.push(option.clone());
    }
    if options.len() < 2 {
        problems.push(Problem::new(
            format!("q{n}_option{}", options.len() + 1),
            format!("Question {n}: write at least two answers to choose from."),
        ));
    }
    if right.is_none() {
        problems.push(Problem::new(
            format!("q{n}_right1"),
            format!("Question {n}: mark the answer that is right."),
        ));
    }
    Question {
        text: draft.text.clone(),
        options,
        right: right.unwrap_or_default(),
    }
}

/// A field of a form, without blanks around it; browsers send line ends as CR LF.
pub(super) fn field(fields: &HashMap<String, String>, name: &str) -> String {
    fields
        .get(name)
        .map(|text| text.trim().replace("\r\n", "\n"))
        .unwrap_or_default()
}

/// Says so when a text is longer than `most` characters.
pub(super) fn refuse_longer(
    problems: &mut Vec<Problem>,
    field: &str,
    called: &str,
    text: &str,
    most: usize,
) {
    let length = text.chars().count();
    if length > most {
        let words = format!("{called} is {length} characters long; {most} is the most.");
        problems.push(Problem::new(field, words));
    }
}

fn question_draft(question: &Question) -> QuestionDraft {
    QuestionDraft {
        text: question.text.clone(),
        options: std::array::from_fn(|i| question.options.get(i).cloned().unwrap_or_default()),
        right: Some(question.right),
    }
}
