//! What a call costs with everything on: an API key, a rule, a condition on arguments, validation, a quota, audit and metrics; and what
//! it costs when the reply is kept. Beside them the bare handler, which knows nobody and asks nothing.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Result, ensure};

use super::{Context, WARM_UP, table};
use crate::shop::Shop;

/// How a governed gate keeps replies.
const KEPT: &str = "    cache: { ttl: 1h }\n";

/// Measures both, each in turns with the bare handler.
pub(super) fn measure(context: &Context<'_>, scratch: &Path, table: &mut table::Table) -> Result<()> {
    for (name, label, cache) in [("governed", "everything on", ""), ("kept", "everything on, reply kept", KEPT)] {
        let folder = scratch.join(name);
        fs::create_dir(&folder)?;
        fs::write(folder.join("callgate.yaml"), config(&context.shop.database(), cache))?;
        let key = key(context, &folder)?;
        let (bare, gate) = (context.bare()?, context.gate(&Shop { folder })?);
        context.turn(&bare, "get_customer", WARM_UP, &[])?;
        context.turn(&gate, "get_customer", WARM_UP, &["--key", &key])?;
        let mut ratios = Vec::new();
        let mut costs = Vec::new();
        for _ in 0..context.options.turns {
            let plain = context.turn(&bare, "get_customer", context.options.calls, &[])?.cost;
            let governed = context.turn(&gate, "get_customer", context.options.calls, &["--key", &key])?.cost;
            ratios.push(governed / plain);
            costs.push(governed);
        }
        let (cost, ratio) = (table::median(&costs), table::median(&ratios));
        println!("{label}: {cost:.1} µs, ratio {ratio:.2}");
        table.row(label, format!("{cost:.1} µs of processor time per call, ratio {ratio:.2} (median of {} turns)", ratios.len()));
    }
    Ok(())
}

/// Gives out a key for the gate in `folder`.
fn key(context: &Context<'_>, folder: &Path) -> Result<String> {
    let mut command = Command::new(context.built("callgate"));
    command.args(["keys", "add", "bench", "--tenant", "acme", "--scope", "read:customers", "--config"]).arg(folder);
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "`callgate keys add` failed");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The lookup of the shop behind every layer, none of which ever says no.
pub(super) fn config(database: &Path, cache: &str) -> String {
    format!(
        "version: 1\nname: governed\nauth: {{ keys: {{}} }}\nquotas:\n  rules:\n    - {{ name: each, per: [caller, tool], limit: 6000000/1m }}\n\
         backends:\n  shop:\n    kind: sql\n    url: \"sqlite:{}\"\ntools:\n  get_customer:\n    backend: shop\n    \
         description: Retrieve one customer by id.\n    effect: read\n    allow: read:customers\n    require:\n      \
         - {{ rule: \"size(args.customer_id) > 5 || 'support' in caller.roles\", message: customer_id is too short }}\n{cache}    \
         input:\n      customer_id: {{ type: string, pattern: \"^cust_[a-z0-9]{{20}}$\", description: The unique customer identifier. }}\n    \
         sql: SELECT id, name, email, tier, status FROM customers WHERE id = :customer_id\n    returns: one\n",
        database.display()
    )
}
