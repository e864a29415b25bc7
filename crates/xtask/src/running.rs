//! Starting other programs so that none of them outlives us.
//!
//! Each program runs in a process group of its own, with a limit of time and its output in a log file. Groups are ended by
//! their id: when the program is done with, when the limit passes, when the chore fails, and when somebody presses Ctrl-C.

use std::{
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long a program may take to end when asked to.
const GRACE: Duration = Duration::from_secs(10);

/// The process groups that are alive. Clones share them; dropping the last clone ends them all.
#[derive(Clone)]
pub(crate) struct Groups(Arc<Living>);

#[derive(Default)]
struct Living(Mutex<Vec<u32>>);

impl Living {
    fn lock(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        for id in self.lock().drain(..) {
            signal("KILL", id);
        }
    }
}

impl Groups {
    /// Watches for Ctrl-C and for being told to end, from now on.
    pub(crate) fn new() -> Result<Self> {
        let groups = Self(Arc::default());
        let living = Arc::downgrade(&groups.0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        thread::spawn(move || {
            if runtime.block_on(told_to_end()).is_ok() {
                for id in living.upgrade().iter().flat_map(|living| living.lock().clone()) {
                    signal("KILL", id);
                }
                std::process::exit(130);
            }
        });
        Ok(groups)
    }

    /// Runs `command` to its end; its output goes to the end of `log`. Fails when it takes longer than `limit`.
    pub(crate) fn run(&self, command: Command, log: &Path, limit: Duration) -> Result<ExitStatus> {
        self.start(command, log)?.wait(limit)
    }

    /// Starts `command`; its output goes to the end of `log`.
    pub(crate) fn start(&self, mut command: Command, log: &Path) -> Result<Running> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder)?;
        }
        let log = File::options().create(true).append(true).open(log).with_context(|| log.display().to_string())?;
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        self.0.lock().push(child.id());
        Ok(Running { child, name, groups: self.clone() })
    }
}

async fn told_to_end() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut end) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! { _ = interrupt.recv() => {}, _ = end.recv() => {} }
    Ok(())
}

/// A program that runs. Dropping it ends its whole group.
pub(crate) struct Running {
    child: Child,
    name: String,
    groups: Groups,
}

impl Running {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its exit status, if it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end; fails and ends it when `limit` passes first.
    pub(crate) fn wait(mut self, limit: Duration) -> Result<ExitStatus> {
        self.within(limit)?.with_context(|| format!("{} took longer than {limit:?}", self.name))
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(mut self) -> Result<ExitStatus> {
        self.ask("TERM");
        self.within(GRACE)?.with_context(|| format!("{} did not end within {GRACE:?} of being asked to", self.name))
    }

    /// Sends a signal to the program alone.
    pub(crate) fn ask(&self, name: &str) {
        kill(&["-s", name, &self.id().to_string()]);
    }

    fn within(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let start = now();
        loop {
            match self.child.try_wait()? {
                None if start.elapsed() > limit => return Ok(None),
                None => thread::sleep(LOOK),
                ended => return Ok(ended),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let id = self.id();
        signal("KILL", id);
        // It was killed above if it was still there; waiting only collects it.
        let _ = self.child.wait();
        self.groups.0.lock().retain(|group| *group != id);
    }
}

fn signal(name: &str, group: u32) {
    kill(&["-s", name, "--", &format!("-{group}")]);
}

/// The shell's own `kill`, which every POSIX system has. That the target is gone already is as good.
fn kill(arguments: &[&str]) {
    let script = format!("kill {} 2>/dev/null", arguments.join(" "));
    let _ = Command::new("sh").args(["-c", &script]).status();
}

/// Waits until `ready` says yes; fails when `limit` passes or the program ends first.
pub(crate) fn until(what: &str, running: &mut Running, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
    let start = now();
    while !ready() {
        if let Some(status) = running.ended()? {
            bail!("{what} ended before it was ready: {status}");
        }
        if start.elapsed() > limit {
            bail!("{what} was not ready within {limit:?}");
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// The present moment, for timings that are shown to people.
#[expect(clippy::disallowed_methods, reason = "chores measure real time; nothing here is paused in tests")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
