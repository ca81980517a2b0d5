//! Whether a page can be read and used by everybody, as far as axe-core can tell: names, roles, landmarks,
//! contrast. `tests/browser/axe` holds axe-core 4.14.1 as it was published (MPL 2.0).

use super::driver::Driver;
use super::pictures;

const AXE: &str = include_str!("../axe/axe.min.js");

const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, {resultTypes: ['violations']}).then(
        (found) => done(found.violations.flatMap((rule) =>
            rule.nodes.map((node) => `${rule.id}: ${node.html}\\n${node.failureSummary}`))),
        (error) => done([String(error)]));
";

/// Panics where axe finds a mistake, in light or in dark colours.
pub async fn check(driver: &Driver, name: &str) {
    driver.client.execute(AXE, Vec::new()).await.unwrap();
    for colours in ["light", "dark"] {
        pictures::colours(driver, colours).await;
        let found = driver.client.execute_async(RUN, Vec::new()).await.unwrap();
        let mistakes = found.as_array().unwrap();
        assert!(mistakes.is_empty(), "axe on {name}, {colours}: {found:#}");
    }
    pictures::own_colours(driver).await;
}
