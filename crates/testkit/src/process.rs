//! A program under test as a process of its own.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::PATIENCE;

/// A running program. It is killed with the value if it still runs.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    errors: Lines<BufReader<ChildStderr>>,
}

impl Process {
    /// Starts `program` with `arguments`, with nothing in its environment but `PATH` and `variables`.
    pub fn start(program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", "/usr/bin:/bin").envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("the child has no output")?;
        let errors = child.stderr.take().context("the child has no error output")?;
        Ok(Self { child, input, output: BufReader::new(output).lines(), errors: BufReader::new(errors).lines() })
    }

    /// Writes a line to its standard input.
    pub async fn write(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("its input is closed")?;
        input.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(input.flush().await?)
    }

    /// Closes its standard input.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// The next line of its standard output; `None` at the end.
    pub async fn read(&mut self) -> anyhow::Result<Option<String>> {
        Ok(timeout(PATIENCE, self.output.next_line()).await.context("no line on standard output")??)
    }

    /// Reads its error output up to the first line that contains `text`, and gives that line.
    pub async fn told(&mut self, text: &str) -> anyhow::Result<String> {
        let mut seen = Vec::new();
        while let Some(line) = timeout(PATIENCE, self.errors.next_line()).await.context("no line on standard error")?? {
            if line.contains(text) {
                return Ok(line);
            }
            seen.push(line);
        }
        bail!("the process ended without saying `{text}`; it said:\n{}", seen.join("\n"))
    }

    /// Everything it still says on its error output until it ends.
    pub async fn errors(&mut self) -> anyhow::Result<String> {
        let mut lines = Vec::new();
        while let Some(line) = timeout(PATIENCE, self.errors.next_line()).await.context("it does not end")?? {
            lines.push(line);
        }
        Ok(lines.join("\n"))
    }

    /// Sends it a signal such as `TERM`, by its id.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.child.id().context("it has ended already")?;
        let sent = Command::new("/bin/sh").args(["-c", &format!("kill -{name} {id}")]).status().await?;
        if sent.success() { Ok(()) } else { bail!("cannot send {name} to {id}") }
    }

    /// Waits until it has ended.
    pub async fn end(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(timeout(PATIENCE, self.child.wait()).await.context("it does not end")??)
    }
}
