//! The quiz, as a learner answers it: once, with the grade right after.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::ExternalLms;
use super::activity::{Answer, Attempt, Kind, Question};
use super::draft::{Problem, field};
use super::learner::{AtWork, at_work, page_address};
use super::refusal::Refusal;
use crate::sample::form::{self, Sent};
use crate::sample::page;

#[derive(Template)]
#[template(path = "sample/lms/quiz.html")]
struct QuizPage<'a> {
    at: &'a AtWork<'a>,
    /// What they answered before, if they did.
    attempt: Option<&'a Attempt>,
    /// What was chosen so far, by question.
    chosen: Vec<Option<usize>>,
    problems: Vec<Problem>,
}

impl QuizPage<'_> {
    fn is_chosen(&self, question: &usize, option: &usize) -> bool {
        self.chosen.get(*question) == Some(&Some(*option))
    }
}

/// The questions, or the grade.
pub(super) fn page(at: &AtWork<'_>) -> HttpResponse {
    let page = QuizPage {
        at,
        attempt: at.activity.attempt_of(&at.visit.user),
        chosen: Vec::new(),
        problems: Vec::new(),
    };
    page::html(StatusCode::OK, &page)
}

/// `POST /mod/quiz/attempt.php`: answers all questions. A second attempt changes nothing.
pub(super) async fn attempt(
    sent: Sent,
    lms: web::Data<ExternalLms>,
) -> Result<HttpResponse, Refusal> {
    let fields = form::fields(&sent.map_err(|_| Refusal::NoForm)?);
    let visit = lms.visit_again(fields.get("ticket").ok_or(Refusal::NoTicket)?)?;
    let at = at_work(&lms, &visit)?;
    if at.activity.kind != Kind::Quiz {
        return Err(Refusal::NoTicket);
    }
    let questions = &at.activity.settings.questions;
    let chosen: Vec<_> = (0..questions.len())
        .map(|i| chosen(&questions[i], &field(&fields, &format!("q{}", i + 1))))
        .collect();
    let is_new = at.activity.attempt_of(&visit.user).is_none();
    let problems: Vec<_> = chosen
        .iter()
        .enumerate()
        .filter(|(_, chosen)| chosen.is_none() && is_new)
        .map(|(i, _)| {
            Problem::new(
                format!("q{}_option1", i + 1),
                format!("Answer question {}.", i + 1),
            )
        })
        .collect();
    if !problems.is_empty() {
        let page = QuizPage {
            at: &at,
            attempt: None,
            chosen,
            problems,
        };
        return Ok(page::html(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let answers: Vec<_> = questions
        .iter()
        .zip(&chosen)
        .filter_map(|(question, chosen)| Some(answer(question, (*chosen)?)))
        .collect();
    if is_new && !answers.is_empty() {
        let attempt = Attempt {
            user: visit.user.clone(),
            answers,
            at: Utc::now(),
        };
        lms.lock().attempt(at.activity.id, attempt);
    }
    Ok(page::redirect(StatusCode::SEE_OTHER, &page_address(&visit)))
}

/// The option, from 0, that a field names, from 1.
fn chosen(question: &Question, field: &str) -> Option<usize> {
    let option = field.parse::<usize>().ok()?.checked_sub(1)?;
    (option < question.options.len()).then_some(option)
}

fn answer(question: &Question, chosen: usize) -> Answer {
    Answer {
        question: question.text.clone(),
        chosen: question.options[chosen].clone(),
        expected: question.options[question.right].clone(),
    }
}
