//! A browser, and what a person does with it. Whatever is looked for is waited for.

use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::key::Key;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::driver::Driver;
use super::{accessible, pictures};

pub struct Browser {
    driver: Driver,
}

const PATIENCE: Duration = Duration::from_secs(30);

impl Browser {
    pub async fn start() -> Self {
        Self {
            driver: Driver::start().await,
        }
    }

    fn client(&self) -> &Client {
        &self.driver.client
    }

    pub async fn open(&self, address: &str) {
        self.client().goto(address).await.unwrap();
    }

    /// The browser's own Back.
    pub async fn go_back(&self) {
        self.client().back().await.unwrap();
    }

    pub async fn address(&self) -> String {
        self.client().current_url().await.unwrap().into()
    }

    /// Waits for the first element of a selector.
    pub async fn sees(&self, css: &str) -> Element {
        let wait = self.client().wait().at_most(PATIENCE);
        match wait.for_element(Locator::Css(css)).await {
            Ok(element) => element,
            Err(error) => {
                let body = self.client().find(Locator::Css("body")).await;
                let shown = match body {
                    Ok(body) => body.text().await.unwrap_or_default(),
                    Err(error) => error.to_string(),
                };
                panic!("no {css} at {}: {error}\n{shown}", self.address().await)
            }
        }
    }

    /// Does something with the first element of a selector: anew where the page, or the part of it, was
    /// just replaced by the one that was waited for.
    async fn with<T>(&self, css: &str, act: impl AsyncFn(&Element) -> Result<T, CmdError>) -> T {
        let begun = Instant::now();
        loop {
            match act(&self.sees(css).await).await {
                Ok(done) => return done,
                Err(error) if is_stale(&error) && begun.elapsed() < PATIENCE => {}
                Err(error) => panic!("{css}: {error}"),
            }
        }
    }

    pub async fn click(&self, css: &str) {
        self.with(css, async |element| element.click().await).await;
    }

    /// Types into a field in place of what is there.
    pub async fn fill(&self, css: &str, text: &str) {
        self.with(css, async |field| {
            field.clear().await?;
            field.send_keys(text).await
        })
        .await;
    }

    /// Presses keys, one after the other, wherever the page has its focus.
    pub async fn press(&self, keys: &[Key]) {
        for key in keys {
            let focus = self.client().active_element().await.unwrap();
            focus
                .send_keys(&String::from(char::from(*key)))
                .await
                .unwrap();
        }
    }

    pub async fn text(&self, css: &str) -> String {
        self.with(css, async |element| element.text().await).await
    }

    /// What is in a field now.
    pub async fn value(&self, css: &str) -> String {
        let value = self.with(css, async |field| field.prop("value").await);
        value.await.unwrap_or_default()
    }

    pub async fn attribute(&self, css: &str, name: &str) -> String {
        let value = self.with(css, async |element| element.attr(name).await);
        value.await.unwrap_or_else(|| panic!("{css} has no {name}"))
    }

    /// An attribute of every element of a selector on the page as it stands.
    pub async fn attributes(&self, css: &str, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        for element in self.client().find_all(Locator::Css(css)).await.unwrap() {
            values.extend(element.attr(name).await.unwrap());
        }
        values
    }

    pub async fn script(&self, script: &str) -> Value {
        self.client().execute(script, Vec::new()).await.unwrap()
    }

    /// Goes on in the page's only frame.
    pub async fn enter_frame(&self) {
        self.sees("iframe").await;
        self.client().enter_frame(0).await.unwrap();
    }

    /// From the next page on, no content security policy counts.
    pub async fn ignore_policies_of_pages(&self) {
        let on = json!({"enabled": true});
        self.driver.devtools("Page.setBypassCSP", on).await;
    }

    /// From the next page on, the scripts of pages run or do not.
    pub async fn let_scripts_run(&self, run: bool) {
        let off = json!({"value": !run});
        self.driver
            .devtools("Emulation.setScriptExecutionDisabled", off)
            .await;
    }

    /// By how many pixels the page sticks out at the side of a telephone of 360.
    pub async fn sticks_out(&self) -> Value {
        let screen = json!({"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        let emulation = "Emulation.setDeviceMetricsOverride";
        self.driver.devtools(emulation, screen).await;
        let over = "return document.documentElement.scrollWidth - 360";
        let over = self.script(over).await;
        let emulation = "Emulation.clearDeviceMetricsOverride";
        self.driver.devtools(emulation, json!({})).await;
        over
    }

    /// The tab that is looked at.
    pub async fn tab(&self) -> WindowHandle {
        self.client().window().await.unwrap()
    }

    pub async fn switch_to(&self, tab: &WindowHandle) {
        self.client().switch_to_window(tab.clone()).await.unwrap();
    }

    /// Opens an address in a new tab, and goes on there.
    pub async fn open_tab(&self, address: &str) {
        let tab = self.client().new_window(true).await.unwrap();
        self.switch_to(&tab.handle).await;
        self.open(address).await;
    }

    /// Waits until the first element of a selector begins with a text.
    pub async fn sees_text(&self, css: &str, text: &str) {
        let begun = Instant::now();
        loop {
            let now = self.text(css).await;
            if now.starts_with(text) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{css} says {now:?}, not {text:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Clicks what opens a new tab, and goes on in that tab.
    pub async fn click_to_new_tab(&self, css: &str) {
        let before = self.tabs().await;
        self.click(css).await;
        let tabs = self.tabs_until(|tabs| tabs.len() > before.len()).await;
        let new = tabs.iter().find(|tab| !before.contains(tab)).unwrap();
        self.switch_to(new).await;
    }

    /// Clicks what closes this tab, and goes on in another.
    pub async fn click_to_close_tab(&self, css: &str, then: &WindowHandle) {
        let closing = self.tab().await;
        self.click(css).await;
        self.tabs_until(|tabs| !tabs.contains(&closing)).await;
        self.switch_to(then).await;
    }

    /// The browser's own way to close a tab.
    pub async fn close(&self) {
        self.client().close_window().await.unwrap();
    }

    async fn tabs(&self) -> Vec<WindowHandle> {
        self.client().windows().await.unwrap()
    }

    async fn tabs_until(&self, fact: impl Fn(&[WindowHandle]) -> bool) -> Vec<WindowHandle> {
        let begun = Instant::now();
        loop {
            let tabs = self.tabs().await;
            if fact(&tabs) {
                return tabs;
            }
            let shown = begun.elapsed() < PATIENCE;
            assert!(shown, "no tab was opened or closed: {tabs:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whatever a policy blocked, what did not load, errors of scripts.
    pub async fn complaints(&self) -> Vec<String> {
        self.driver.complaints().await
    }

    /// Looks at a page as everybody has to be able to: panics where axe finds a mistake, and takes a picture,
    /// where pictures are wanted.
    pub async fn picture(&self, name: &str) {
        accessible::check(&self.driver, name).await;
        pictures::take(&self.driver, name).await;
    }
}

/// Whether an element is of a page, or of a part of one, that is not there any more.
fn is_stale(error: &CmdError) -> bool {
    matches!(error, CmdError::Standard(error) if error.error == ErrorStatus::StaleElementReference)
}
