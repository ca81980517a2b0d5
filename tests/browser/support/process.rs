//! A program that runs until the test ends, however it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

pub struct Process {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl Process {
    /// Starts a program with nothing of this process's environment but `PATH` and what `command` sets.
    pub fn start(command: &mut Command) -> std::io::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (sender, lines) = channel();
        read_on(child.stdout.take().unwrap(), sender.clone());
        read_on(child.stderr.take().unwrap(), sender);
        Ok(Self {
            child,
            lines,
            said: String::new(),
        })
    }

    /// Waits for a line with `before` in it, and answers what comes after.
    pub fn says(&mut self, before: &str) -> String {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("it never said {before:?}, but: {}", self.said);
            };
            if let Some((_, after)) = line.split_once(before) {
                return after.trim().to_owned();
            }
            self.said.push_str(&line);
            self.said.push('\n');
        }
    }
}

/// Nobody may have to wait because nobody reads.
fn read_on(output: impl Read + Send + 'static, sender: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program with a clean environment.
pub fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}
