//! Enrollments and grades of an external LMS: what Joanie calls `get_enrollment`, `set_enrollment` and
//! `get_grades`. Each answers what is so, or why that is not known; never nothing for both.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::selecting::found;
use crate::flows::{Gateway, Refusal};
use crate::outbound::{Account, Enrollment, Set, Wanted};

/// The longest login, in characters.
const LONGEST_LOGIN: usize = 255;
/// The longest of the other texts, in characters.
const LONGEST_TEXT: usize = 255;

/// An enrollment that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The person's login on the LMS.
    pub username: String,
    /// The link of the course.
    pub link: String,
    /// Whether the person is to be enrolled.
    pub active: bool,
    /// How.
    pub mode: Option<String>,
    /// Who it is: first name, last name, e-mail address.
    pub account: Option<[String; 3]>,
}

impl Asked {
    /// Refuses what no LMS can make anything of.
    pub fn check(&self) -> Result<(), Refusal> {
        check_login(&self.username)?;
        let texts = self.account.iter().flatten().chain(&self.mode);
        let wrong = |text: &String| {
            text.chars().count() > LONGEST_TEXT || text.chars().any(char::is_control)
        };
        if texts.into_iter().any(wrong) {
            let words = format!(
                "mode and user hold at most {LONGEST_TEXT} characters, none a control character"
            );
            return Err(Refusal::Body(words));
        }
        Ok(())
    }

    pub(super) fn account(&self) -> Option<Account> {
        let [first_name, last_name, email] = self.account.clone()?;
        Some(Account {
            first_name,
            last_name,
            email,
        })
    }
}

/// Whether somebody is enrolled in the course of a link.
pub async fn enrollment(
    gateway: &Gateway,
    username: &str,
    link: &str,
) -> Result<Enrollment, Refusal> {
    check_login(username)?;
    let configuration = gateway.configuration();
    let (lms, course) = found(&configuration, link)?;
    Ok(gateway
        .outbound()
        .enrollment(lms, username, &course)
        .await?)
}

/// Enrolls somebody in the course of a link, or ends that. Seen through also where the caller gives up.
pub async fn set_enrollment(gateway: &Gateway, asked: Asked) -> Result<Set, Refusal> {
    asked.check()?;
    // Refused before anything is begun.
    found(&gateway.configuration(), &asked.link)?;
    gateway
        .see_through(move |gateway| async move {
            let configuration = gateway.configuration();
            let (lms, course) = found(&configuration, &asked.link)?;
            let account = asked.account();
            let wanted = Wanted {
                username: &asked.username,
                course: &course,
                active: asked.active,
                mode: asked.mode.as_deref(),
                account: account.as_ref(),
            };
            let set = gateway.outbound().set_enrollment(lms, wanted).await?;
            let enrolled = gateway.enrolled();
            enrolled.note(lms, &course, &asked.username, set.is_enrolled);
            Ok(set)
        })
        .await
}

/// Somebody's grades in the course of a link.
pub async fn grades(gateway: &Gateway, username: &str, link: &str) -> Result<Value, Refusal> {
    check_login(username)?;
    let configuration = gateway.configuration();
    let (lms, course) = found(&configuration, link)?;
    Ok(gateway.outbound().grades(lms, username, &course).await?)
}

fn check_login(username: &str) -> Result<(), Refusal> {
    let right = !username.trim().is_empty()
        && username.chars().count() <= LONGEST_LOGIN
        && !username.chars().any(char::is_control);
    if right {
        Ok(())
    } else {
        Err(Refusal::Login("username"))
    }
}
