//! What the sample LMS keeps: forums and quizzes, with what learners left in them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::hash::java_trim;

/// What an activity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// People write to each other.
    Forum,
    /// Questions with one right answer each.
    Quiz,
}

impl Kind {
    /// The kind that `add=` names, in any case.
    pub(super) fn of_add(add: &str) -> Option<Self> {
        [Kind::Forum, Kind::Quiz]
            .into_iter()
            .find(|kind| kind.title().eq_ignore_ascii_case(add))
    }

    /// Its name, which is also the title of default content.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Forum => "Forum",
            Kind::Quiz => "Quiz",
        }
    }

    /// Its name within a sentence.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Forum => "forum",
            Kind::Quiz => "quiz",
        }
    }

    /// Whether it is a forum, for pages.
    pub(super) fn is_forum(self) -> bool {
        self == Kind::Forum
    }
}

/// A forum or a quiz.
#[derive(Debug, Clone)]
pub struct Activity {
    /// Its course-module id: what LAMS calls `extToolContentID`.
    pub id: u64,
    /// What it is.
    pub kind: Kind,
    /// What its author wrote.
    pub settings: Settings,
    /// The course it belongs to, where that was named.
    pub course: String,
    /// The activity that it was cloned from; `Some(0)` for default content.
    pub copied_from: Option<u64>,
    /// What was written into a forum, oldest first.
    pub posts: Vec<Post>,
    /// Who answered a quiz, in that order.
    pub attempts: Vec<Attempt>,
}

/// What an author writes, what a clone copies, and what an export holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Its title.
    pub title: String,
    /// What learners read first; may be empty.
    pub intro: String,
    /// A quiz's questions.
    pub questions: Vec<Question>,
}

/// One question with a single right answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What is asked.
    pub text: String,
    /// What to choose from.
    pub options: Vec<String>,
    /// Which of the options is right, from 0.
    pub right: usize,
}

/// A post in a forum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Who wrote it.
    pub user: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub message: String,
    /// When it was written.
    pub at: DateTime<Utc>,
}

/// One learner's answers to a quiz. It holds the questions as they were: editing the quiz afterwards
/// changes no grade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Who answered.
    pub user: String,
    /// What was answered to each question.
    pub answers: Vec<Answer>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What was answered to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The question.
    pub question: String,
    /// What was chosen.
    pub chosen: String,
    /// What would have been right.
    pub expected: String,
}

impl Answer {
    /// Whether the right option was chosen.
    pub fn is_right(&self) -> bool {
        self.chosen == self.expected
    }
}

impl Attempt {
    /// How many answers are right.
    pub fn right(&self) -> usize {
        self.answers.iter().filter(|a| a.is_right()).count()
    }

    /// The grade in percent, rounded.
    pub fn percent(&self) -> usize {
        match self.answers.len() {
            0 => 0,
            all => (self.right() * 100 + all / 2) / all,
        }
    }

    /// Its time, to be read.
    pub(super) fn time(&self) -> String {
        readable(self.at)
    }
}

impl Post {
    /// The letter that stands for its writer.
    pub(super) fn initial(&self) -> String {
        let first = self.user.trim().chars().next();
        first.map_or_else(String::new, |c| c.to_uppercase().collect())
    }

    /// Its time, to be read.
    pub(super) fn time(&self) -> String {
        readable(self.at)
    }
}

impl Activity {
    /// What a person answered; the hash that people arrive with does not tell their case apart, nor
    /// does this.
    pub fn attempt_of(&self, user: &str) -> Option<&Attempt> {
        self.attempts.iter().find(|a| is_same_user(&a.user, user))
    }

    /// What a person wrote, oldest first; in any case of their name.
    pub fn posts_of(&self, user: &str) -> impl Iterator<Item = &Post> {
        self.posts.iter().filter(|p| is_same_user(&p.user, user))
    }

    /// Whether a person wrote or answered something.
    pub(super) fn has_work_of(&self, user: &str) -> bool {
        self.attempt_of(user).is_some() || self.posts_of(user).next().is_some()
    }

    /// How much learners left in it, in words.
    pub(super) fn work(&self) -> String {
        let (count, word) = match self.kind {
            Kind::Forum => (self.posts.len(), "post"),
            Kind::Quiz => (self.attempts.len(), "attempt"),
        };
        format!("{count} {word}{}", if count == 1 { "" } else { "s" })
    }

    /// The mean grade in percent.
    pub(super) fn mean(&self) -> Option<usize> {
        let all = self.attempts.len();
        let sum: usize = self.attempts.iter().map(Attempt::percent).sum();
        (all > 0).then(|| (sum + all / 2) / all)
    }

    /// How many different people wrote.
    pub(super) fn writers(&self) -> usize {
        let mut names: Vec<_> = self.posts.iter().map(|p| p.user.to_lowercase()).collect();
        names.sort();
        names.dedup();
        names.len()
    }
}

fn is_same_user(a: &str, b: &str) -> bool {
    java_trim(a).to_lowercase() == java_trim(b).to_lowercase()
}

fn readable(at: DateTime<Utc>) -> String {
    at.format("%-d %b %Y, %H:%M UTC").to_string()
}
