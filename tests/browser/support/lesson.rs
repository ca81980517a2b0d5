//! The sample LAMS's page: what a teacher and learners press there.

use std::ops::Deref;

use fantoccini::wd::WindowHandle;

use super::Browser;
use super::demo::Demo;

/// The password of the sysadmins.
pub const PASSWORD: &str = "a few good words";

/// The browser with the lesson in its first tab.
pub struct Lesson {
    browser: Browser,
    first_tab: WindowHandle,
    pub demo: Demo,
}

impl Lesson {
    /// The lesson, after Bill came in from the external LMS.
    pub async fn open() -> Self {
        let lesson = Self::at_the_external_lms().await;
        lesson.click("#open-author").await;
        lesson.sees("#lesson").await;
        lesson
    }

    /// Where a newcomer begins; nobody came into LAMS yet.
    pub async fn at_the_external_lms() -> Self {
        let demo = Demo::start();
        let browser = Browser::start().await;
        let first_tab = browser.tab().await;
        browser.open(&demo.lms).await;
        Self {
            browser,
            first_tab,
            demo,
        }
    }

    /// The same with the first sysadmin, Ada, made and signed in, at the first page for sysadmins.
    pub async fn signed_in() -> Self {
        let lesson = Self::open().await;
        lesson.browser.open(&lesson.demo.first_start).await;
        for (field, text) in [
            ("#name", "Ada"),
            ("#password", PASSWORD),
            ("#repeated", PASSWORD),
        ] {
            lesson.fill(field, text).await;
        }
        lesson.click("#become").await;
        // The page before has a field of the same name.
        lesson.sees("#sign-in").await;
        for (field, text) in [("#name", "Ada"), ("#password", PASSWORD)] {
            lesson.fill(field, text).await;
        }
        lesson.click("#sign-in").await;
        lesson.sees("#who").await;
        lesson
    }

    /// Fills in the sample LMS's form of a quiz with one question, and saves it.
    pub async fn write_a_quiz(&self) {
        for (field, text) in [
            ("#title", "Planets"),
            ("#q1_text", "Which planet is the largest?"),
            ("#q1_option1", "Jupiter"),
            ("#q1_option2", "Mars"),
        ] {
            self.fill(field, text).await;
        }
        self.click("#q1_right1").await;
        self.click("#save").await;
        self.sees("#ext-tool-content-id").await;
    }

    /// Adds an activity of a tool; answers its `toolContentID`.
    pub async fn add(&self, tool: &str) -> String {
        self.click(&format!("#add-{tool}")).await;
        let card = format!("[data-signature={tool}][data-state=not-opened]");
        self.attribute(&card, "data-activity").await
    }

    /// Looks again until an activity is in a state.
    pub async fn shows(&self, activity: &str, state: &str) {
        self.click("#refresh").await;
        self.sees(&format!("[data-activity='{activity}'][data-state={state}]"))
            .await;
    }

    /// Starts the lesson for a group; answers its `toolSessionID`.
    pub async fn start(&self, activity: &str) -> String {
        self.click(&format!("#start-{activity}")).await;
        let session = format!("[data-activity='{activity}'] [data-session]");
        self.attribute(&session, "data-session").await
    }

    /// Who finished, as the lesson's page says.
    pub async fn finished(&self, session: &str) -> Vec<String> {
        let tags = format!("[data-session='{session}'] [data-finished]");
        self.attributes(&tags, "data-finished").await
    }

    /// Presses a button of the gateway or the other LMS that closes the tab; the lesson is in front
    /// then.
    pub async fn close_tab(&self, css: &str) {
        self.click_to_close_tab(css, &self.first_tab).await;
    }

    /// Closes the tab in the browser itself.
    pub async fn close_this_tab(&self) {
        self.close().await;
        self.switch_to(&self.first_tab).await;
    }

    /// Goes back to the lesson after "Next activity": the page there names who finished.
    pub async fn return_as_finished(&self, who: &str) {
        self.sees(&format!("#finished[data-user={who}]")).await;
        let address = self.address().await;
        assert!(address.starts_with(&self.demo.lams), "{address}");
    }
}

impl Deref for Lesson {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}
