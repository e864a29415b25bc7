//! What a call costs when the catalog is large: the same tool, 10, 1,000 and 10,000 times.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Result;

use super::{Context, WARM_UP, table};
use crate::shop::Shop;

const SIZES: [usize; 3] = [10, 1_000, 10_000];
/// Turns for each size; fewer than for the comparison, because only the trend matters.
const TURNS: usize = 3;

/// Measures each size.
pub(super) fn measure(context: &Context<'_>, scratch: &Path, table: &mut table::Table) -> Result<()> {
    for size in SIZES {
        let folder = scratch.join(format!("scale-{size}"));
        fs::create_dir(&folder)?;
        fs::write(folder.join("callgate.yaml"), config(size, &context.shop.database()))?;
        let server = context.gate(&Shop { folder })?;
        let tool = name(size - 1);
        context.turn(&server, &tool, WARM_UP, &[])?;
        let mut costs = Vec::new();
        for _ in 0..TURNS {
            costs.push(context.turn(&server, &tool, context.options.calls, &[])?.cost);
        }
        println!("{size} tools: {:.1} µs", table::median(&costs));
        let memory = server.process().memory()?;
        table.row(format!("{size} tools"), format!("{:.1} µs per call, {memory}", table::median(&costs)));
    }
    Ok(())
}

fn name(index: usize) -> String {
    format!("get_customer_{index:05}")
}

/// A configuration with `size` copies of the lookup.
pub(super) fn config(size: usize, database: &Path) -> String {
    let mut text =
        format!("version: 1\nname: scale\nbackends:\n  shop:\n    kind: sql\n    url: \"sqlite:{}\"\ntools:\n", database.display());
    for index in 0..size {
        let name = name(index);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "  {name}:\n    backend: shop\n    description: Retrieve one customer by id.\n    effect: read\n    input:\n      \
             customer_id: {{ type: string, pattern: \"^cust_[a-z0-9]{{20}}$\", description: The unique customer identifier. }}\n    \
             sql: SELECT id, name, email, tier, status FROM customers WHERE id = :customer_id\n    returns: one\n"
        );
    }
    text
}
