//! customCSV: whatever is taken is of the form that the gateway stores and sends on.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use toolgate::domain::custom_csv::{CustomCsv, Reading};
use toolgate::domain::tool::{Tool, builtin_tools};

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| builtin_tools().collect());

fuzz_target!(|text: &str| {
    for tool in TOOLS.iter() {
        let taken = CustomCsv::parse(text, &tool.custom_csv);
        let reading = Reading::of(text, &tool.custom_csv);
        assert_eq!(taken.as_ref().err(), reading.mistake.as_ref());
        let Ok(csv) = taken else { continue };
        let fields = [
            Some(&csv.user),
            Some(&csv.course),
            csv.section.as_ref(),
            csv.course_url.as_ref(),
        ];
        for field in fields.into_iter().flatten() {
            assert!(field.chars().count() <= 255, "{field:?}");
            assert!(!field.chars().any(char::is_control), "{field:?}");
        }
        assert!(!csv.user.is_empty() && !csv.course.is_empty());
        if let Some(url) = &csv.course_url {
            assert!(
                url.starts_with("http://") || url.starts_with("https://"),
                "{url:?}"
            );
        }
    }
});
