//! What would be called for an enrollment, without calling it: for a dry run. Secrets are not in it.

use super::failure::LmsFailure;
use super::{Wanted, moodle, openedx};
use crate::domain::lms::{Backend, Lms};

/// A call that would be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where.
    pub url: String,
    /// When, where that is not certain.
    pub when: Option<&'static str>,
    /// What it carries.
    pub body: Option<String>,
}

impl Planned {
    /// The calls for an enrollment, in their order.
    pub fn of(lms: &Lms, wanted: Wanted<'_>) -> Result<Vec<Self>, LmsFailure> {
        match lms.backend {
            Backend::OpenEdx => edx(lms, wanted),
            Backend::Moodle => of_moodle(lms, wanted),
            Backend::Dummy | Backend::Failing | Backend::Base => Ok(Vec::new()),
        }
    }
}

fn edx(lms: &Lms, wanted: Wanted<'_>) -> Result<Vec<Planned>, LmsFailure> {
    let looked = openedx::enrollment_url(lms, wanted.username, wanted.course)?;
    let mode = wanted.mode.filter(|_| wanted.active);
    let when = match wanted.active {
        true => "where it is not so already",
        false => "where the person is enrolled, with the current mode",
    };
    Ok(vec![
        Planned {
            method: "GET",
            url: looked.to_string(),
            when: None,
            body: None,
        },
        Planned {
            method: "POST",
            url: openedx::below(lms, "/api/enrollment/v1/enrollment")?.to_string(),
            when: Some(when),
            body: Some(openedx::enrollment_body(wanted, mode).to_string()),
        },
    ])
}

fn of_moodle(lms: &Lms, wanted: Wanted<'_>) -> Result<Vec<Planned>, LmsFailure> {
    let call = |function: &str, when, form: moodle::Fields| {
        let url = moodle::function_url(lms, function, "…")?;
        let body = form.iter().map(|(name, value)| format!("{name}={value}"));
        Ok::<_, LmsFailure>(Planned {
            method: "POST",
            url: url.as_str().replace("%E2%80%A6", "…"),
            when,
            body: Some(Vec::from_iter(body).join("&")),
        })
    };
    let login = wanted.username.to_lowercase();
    let mut calls = vec![call(
        "core_user_get_users",
        None,
        moodle::by("username", &login),
    )?];
    if wanted.active
        && lms.create_users
        && let Some(account) = wanted.account
    {
        let form = moodle::new_account(lms, wanted.username, account);
        let when = Some("where there is no account of this login");
        calls.push(call("core_user_create_users", when, form)?);
    }
    let function = match wanted.active {
        true => "enrol_manual_enrol_users",
        false => "enrol_manual_unenrol_users",
    };
    let form = moodle::enrolment(wanted.course, "(the account's id)", Some(lms.role_id));
    calls.push(call(function, None, form)?);
    Ok(calls)
}

impl std::fmt::Display for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.url)?;
        if let Some(body) = &self.body {
            write!(f, " {body}")?;
        }
        match self.when {
            Some(when) => write!(f, " ({when})"),
            None => Ok(()),
        }
    }
}
