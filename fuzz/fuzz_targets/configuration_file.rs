//! Files of the configuration, Joanie's lists, and the expressions in both.

#![no_main]

use libfuzzer_sys::fuzz_target;
use toolgate::domain::lms::{Pattern, read_joanie};
use toolgate::flows::apply::plan_on_nothing;

fuzz_target!(|text: &str| {
    let _ = plan_on_nothing(text);
    let _ = read_joanie(text);
    if let Ok(pattern) = Pattern::parse(text.lines().next().unwrap_or_default()) {
        let _ = pattern.matches("https://courses.example.org/courses/course-v1:a+b+c/info");
    }
});
