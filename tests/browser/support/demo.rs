//! `toolgate demo` as a process.

use super::process::{Process, program};

pub struct Demo {
    /// Where a newcomer begins: the sample external LMS.
    pub lms: String,
    /// The sample LAMS.
    pub lams: String,
    /// The gateway, with the slash at the end.
    pub gateway: String,
    /// The address that makes the first sysadmin.
    pub first_start: String,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Demo {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(env!("CARGO_BIN_EXE_toolgate"));
        command.arg("demo").arg("--folder").arg(folder.path());
        let mut process = Process::start(&mut command).unwrap();
        let lms = process.says("Open ");
        let lams = process.says("sample LAMS ");
        let gateway = process.says("Toolgate ");
        let first_start = process.says("first sysadmin ");
        for address in [&lms, &lams, &gateway] {
            assert!(
                address.starts_with("http://127.0.0.1:") && address.ends_with('/'),
                "{address}"
            );
        }
        Self {
            lms,
            lams,
            gateway,
            first_start,
            _process: process,
            _folder: folder,
        }
    }
}
