//! Pictures of whole pages, for people to look at: only where `SCREENSHOT_FOLDER` says where to.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::driver::Driver;

/// End of the file's name, width, least height, colours.
const LOOKS: [(&str, u32, u64, &str); 3] = [
    ("", 1200, 900, "light"),
    ("-dark", 1200, 900, "dark"),
    ("-narrow", 400, 800, "light"),
];

pub async fn take(driver: &Driver, name: &str) {
    let Some(folder) = std::env::var_os("SCREENSHOT_FOLDER").map(PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    for (look, width, least, colours) in LOOKS {
        self::colours(driver, colours).await;
        screen(driver, width, least).await;
        let height = "return document.documentElement.scrollHeight";
        let height: Value = driver.client.execute(height, Vec::new()).await.unwrap();
        screen(driver, width, height.as_u64().unwrap()).await;
        let picture = driver.client.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}{look}.png")), picture).unwrap();
    }
    driver
        .devtools("Emulation.clearDeviceMetricsOverride", json!({}))
        .await;
    own_colours(driver).await;
}

/// Light or dark.
pub async fn colours(driver: &Driver, colours: &str) {
    let media = json!({"features": [
        {"name": "prefers-color-scheme", "value": colours},
        // Else colours are taken half-way from one to the other.
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]});
    driver.devtools("Emulation.setEmulatedMedia", media).await;
}

/// Those of the browser itself.
pub async fn own_colours(driver: &Driver) {
    let none = json!({"features": []});
    driver.devtools("Emulation.setEmulatedMedia", none).await;
}

async fn screen(driver: &Driver, width: u32, height: u64) {
    let screen = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
    driver
        .devtools("Emulation.setDeviceMetricsOverride", screen)
        .await;
}
