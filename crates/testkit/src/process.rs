//! A program under test as a process of its own.

use std::{
    fs::OpenOptions,
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
    output: Option<Lines<BufReader<ChildStdout>>>,
    errors: Option<Lines<BufReader<ChildStderr>>>,
}

impl Process {
    /// Starts `program` with `arguments`, with nothing in its environment but `PATH` and `variables`.
    pub fn start(program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut command = bare(program, arguments, variables);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::spawn(command)
    }

    /// The same for a program that runs long: what it says is appended to the file `log`, so that nobody needs to read it.
    pub fn logging(program: &Path, arguments: &[&str], variables: &[(&str, &str)], log: &Path) -> anyhow::Result<Self> {
        Self::logged(bare(program, arguments, variables), log)
    }

    pub(crate) fn logged(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let log = OpenOptions::new().create(true).append(true).open(log).context("cannot open the log")?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> anyhow::Result<Self> {
        command.kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", command.as_std().get_program().display()))?;
        let input = child.stdin.take();
        let output = child.stdout.take().map(|output| BufReader::new(output).lines());
        let errors = child.stderr.take().map(|errors| BufReader::new(errors).lines());
        Ok(Self { child, input, output, errors })
    }

    /// Its id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
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
        let output = self.output.as_mut().context("its output is in its log")?;
        Ok(timeout(PATIENCE, output.next_line()).await.context("no line on standard output")??)
    }

    /// Reads its error output up to the first line that contains `text`, and gives that line.
    pub async fn told(&mut self, text: &str) -> anyhow::Result<String> {
        let mut seen = Vec::new();
        let errors = self.errors.as_mut().context("its errors are in its log")?;
        while let Some(line) = timeout(PATIENCE, errors.next_line()).await.context("no line on standard error")?? {
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
        let errors = self.errors.as_mut().context("its errors are in its log")?;
        while let Some(line) = timeout(PATIENCE, errors.next_line()).await.context("it does not end")?? {
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

/// A command with nothing in its environment but `PATH` and `variables`.
fn bare(program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", "/usr/bin:/bin").envs(variables.iter().copied());
    command
}
