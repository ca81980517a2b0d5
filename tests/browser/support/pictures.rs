//! Pictures of pages, for people to look at: only where `SCREENSHOT_FOLDER` says where to.

use std::path::PathBuf;

use serde_json::json;

use super::driver::Driver;

/// End of the file's name, width, height, colours.
const LOOKS: [(&str, u32, u32, &str); 3] = [
    ("", 1200, 900, "light"),
    ("-dark", 1200, 900, "dark"),
    ("-narrow", 400, 800, "light"),
];

pub async fn take(driver: &Driver, name: &str) {
    let Some(folder) = std::env::var_os("SCREENSHOT_FOLDER").map(PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    for (look, width, height, colours) in LOOKS {
        let screen =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": colours}]});
        driver
            .devtools("Emulation.setDeviceMetricsOverride", screen)
            .await;
        driver.devtools("Emulation.setEmulatedMedia", media).await;
        let picture = driver.client.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}{look}.png")), picture).unwrap();
    }
    driver
        .devtools("Emulation.clearDeviceMetricsOverride", json!({}))
        .await;
    driver
        .devtools("Emulation.setEmulatedMedia", json!({"features": []}))
        .await;
}
