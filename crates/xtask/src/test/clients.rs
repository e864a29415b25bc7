//! Published clients against `callgate serve` on a private copy of the shop, over HTTP and over stdio.
//!
//! The row that the clients must see is read from the database by Python's own SQLite, not by us.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{Context, Tally};
use crate::{
    http::{answers, free_port},
    running::until,
    shop::{ELSEWHERE, FILLING, Shop, TOOLS},
};

const MINUTE: Duration = Duration::from_secs(60);
/// How many checks each program makes: revision, lists, row, fault.
const CHECKS: usize = 4;

/// One program, in one era, over the transports at which it is tried.
struct Drive {
    name: &'static str,
    program: fn(&Installed) -> Command,
    era: &'static str,
    stdio: Stdio,
}

/// Whether a program is tried over stdio as well as over HTTP.
#[derive(PartialEq)]
enum Stdio {
    Too,
    Not,
}

const DRIVES: &[Drive] = &[
    Drive { name: "Python mcp 2.3.0", program: Installed::python_2, era: "modern", stdio: Stdio::Too },
    Drive { name: "Python mcp 2.3.0", program: Installed::python_2, era: "legacy", stdio: Stdio::Not },
    Drive { name: "Python mcp 1.30.0", program: Installed::python_1, era: "legacy", stdio: Stdio::Too },
    Drive { name: "TypeScript client 2.4.0", program: Installed::typescript_2, era: "modern", stdio: Stdio::Too },
    Drive { name: "TypeScript client 2.4.0", program: Installed::typescript_2, era: "legacy", stdio: Stdio::Not },
    Drive { name: "TypeScript sdk 1.32.2", program: Installed::typescript_1, era: "legacy", stdio: Stdio::Too },
    Drive { name: "rmcp 3.11.0", program: Installed::rmcp, era: "modern", stdio: Stdio::Too },
    Drive { name: "rmcp 3.11.0", program: Installed::rmcp, era: "legacy", stdio: Stdio::Not },
];

/// Everything that is installed for this stage.
struct Installed {
    clients: PathBuf,
    python_2: PathBuf,
    python_1: PathBuf,
    typescript: PathBuf,
    suite: PathBuf,
    rmcp: PathBuf,
}

impl Installed {
    fn new(context: &Context<'_>) -> Result<Self> {
        Ok(Self {
            clients: context.workspace.root.join("clients"),
            python_2: context.tools.python("requirements-2.txt")?,
            python_1: context.tools.python("requirements-1.txt")?,
            typescript: context.tools.npm("typescript")?,
            suite: context.tools.npm("suite")?,
            rmcp: context.workspace.built("debug/client-rmcp"),
        })
    }

    fn python_2(&self) -> Command {
        command(&self.python_2, &self.clients.join("python/shop_2.py"))
    }

    fn python_1(&self) -> Command {
        command(&self.python_1, &self.clients.join("python/shop_1.py"))
    }

    fn typescript_2(&self) -> Command {
        command(Path::new("node"), &self.typescript.join("shop_2.mjs"))
    }

    fn typescript_1(&self) -> Command {
        command(Path::new("node"), &self.typescript.join("shop_1.mjs"))
    }

    fn rmcp(&self) -> Command {
        Command::new(&self.rmcp)
    }

    fn inspector(&self) -> Command {
        let modules = self.suite.join("node_modules/.bin");
        let mut inspector = command(&modules.join("node"), &modules.join("mcp-inspector"));
        inspector.arg("--cli");
        inspector
    }
}

fn command(interpreter: &Path, script: &Path) -> Command {
    let mut command = Command::new(interpreter);
    // Python would write its byte code into the repository.
    command.arg(script).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Runs all clients.
pub(super) fn run(context: &Context<'_>, tally: &mut Tally) -> Result<()> {
    let installed = Installed::new(context)?;
    let shop = Shop::copy(context.workspace, &context.scratch.join("shop"))?;
    let callgate = context.workspace.built("debug/callgate");

    let port = free_port()?;
    let mut server = context.groups.start(shop.serve(&callgate, port), &context.log)?;
    until("callgate serve", &mut server, FILLING, || answers(port, "/health/ready"))?;
    let expected = expect(context, &installed, &shop)?;
    let url = format!("http://127.0.0.1:{port}/mcp");
    for drive in DRIVES {
        drive.run(context, tally, &installed, &expected, &["http", &url])?;
    }
    for era in ["modern", "legacy"] {
        inspect(context, tally, &installed, &expected, era, &url)?;
    }
    let status = server.stop()?;
    let drained = if status.success() { Ok(()) } else { Err(status.to_string()) };
    tally.note("clients", "the gate drains and ends well when asked to", drained);

    let (callgate, shop) = (callgate.to_string_lossy(), shop.folder.to_string_lossy());
    for drive in DRIVES.iter().filter(|drive| drive.stdio == Stdio::Too) {
        drive.run(context, tally, &installed, &expected, &["stdio", &callgate, "serve", "--stdio", &shop])?;
    }
    Ok(())
}

impl Drive {
    fn run(&self, context: &Context<'_>, tally: &mut Tally, installed: &Installed, expected: &Path, server: &[&str]) -> Result<()> {
        let name = format!("{} {} {}", self.name, self.era, server[0]);
        let log = context.scratch.join(format!("{}.log", name.replace(' ', "-")));
        let mut program = (self.program)(installed);
        program.arg(expected).arg(self.era).args(server).current_dir(&context.scratch).env_remove(ELSEWHERE);
        let ended = context.groups.run(program, &log, MINUTE);
        let output = fs::read_to_string(&log)?;
        fs::write(&context.log, format!("{}\n-- {name}\n{output}", fs::read_to_string(&context.log).unwrap_or_default()))?;
        let passed = output.lines().filter(|line| line.starts_with("pass ")).count();
        let failed: Vec<_> = output.lines().filter_map(|line| line.strip_prefix("fail ")).collect();
        if passed > 0 {
            tally.pass_many("clients", passed, &format!("checks by {name}"));
        }
        for why in &failed {
            tally.fail("clients", format!("{name}: {why}"));
        }
        match ended {
            Ok(status) if !status.success() => tally.fail("clients", format!("{name}: {status}")),
            Ok(_) if passed + failed.len() != CHECKS => tally.fail("clients", format!("{name}: {passed} of {CHECKS} checks")),
            Ok(_) => {}
            Err(error) => tally.fail("clients", format!("{name}: {error:#}")),
        }
        Ok(())
    }
}

/// Writes down what the clients must see.
fn expect(context: &Context<'_>, installed: &Installed, shop: &Shop) -> Result<PathBuf> {
    let mut python = command(&installed.python_2, &installed.clients.join("python/expected.py"));
    let output = python.arg(shop.database()).output()?;
    ensure!(output.status.success(), "expected.py: {}", String::from_utf8_lossy(&output.stderr));
    let customer: Value = serde_json::from_slice(&output.stdout).context("expected.py")?;
    let path = context.scratch.join("expected.json");
    fs::write(&path, json!({ "tools": TOOLS, "customer": customer, "bad_id": "nobody" }).to_string())?;
    Ok(path)
}

/// The Inspector is a program already; it is asked three things.
fn inspect(context: &Context<'_>, tally: &mut Tally, installed: &Installed, expected: &Path, era: &str, url: &str) -> Result<()> {
    let expected: Value = serde_json::from_slice(&fs::read(expected)?)?;
    let home = context.scratch.join("home");
    fs::create_dir_all(&home)?;
    let ask = |name: &str, arguments: &[&str]| -> Result<(Option<i32>, Value)> {
        let log = context.scratch.join(format!("inspector-{era}-{name}.log"));
        let mut program = installed.inspector();
        program.args(["--server-url", url, "--transport", "http", "--protocol-era", era, "--format", "json"]);
        program.args(arguments).env("HOME", &home);
        let status = context.groups.run(program, &log, MINUTE)?;
        let output = fs::read_to_string(&log)?;
        let replies = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok((status.code(), replies.map(|mut reply| reply["result"].take()).find(|result| !result.is_null()).unwrap_or_default()))
    };
    let name = format!("Inspector 2.12.0 {era} http");
    let (code, listed) = ask("lists", &["--strict", "--method", "tools/list"])?;
    let listed: Vec<_> = listed["tools"].as_array().into_iter().flatten().map(|tool| tool["name"].clone()).collect();
    let all = code == Some(0) && TOOLS.iter().all(|tool| listed.iter().any(|name| name == tool));
    tally.note("clients", &format!("{name}: lists"), if all { Ok(()) } else { Err(format!("exit code {code:?}, listed {listed:?}")) });

    let customer = &expected["customer"];
    let call = ["--method", "tools/call", "--tool-name", "get_customer", "--tool-arg"];
    let id = format!("customer_id={}", customer["id"].as_str().unwrap_or_default());
    let (code, reply) = ask("row", &[&call[..], &[&id]].concat())?;
    let same = customer.as_object().into_iter().flatten().all(|(key, value)| reply["structuredContent"][key] == *value);
    let good = code == Some(0) && same;
    tally.note("clients", &format!("{name}: row"), if good { Ok(()) } else { Err(format!("exit code {code:?}: {reply}")) });

    let (code, reply) = ask("fault", &[&call[..], &["customer_id=nobody"]].concat())?;
    let told = code == Some(5) && reply["isError"] == true && reply["content"].to_string().contains("customer_id");
    tally.note("clients", &format!("{name}: fault"), if told { Ok(()) } else { Err(format!("exit code {code:?}: {reply}")) });
    Ok(())
}
