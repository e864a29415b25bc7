//! The shop in `examples/shop`, in a private copy: what it offers, how it is served, where its database is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// How long the first start may take, which fills the database.
pub(crate) const FILLING: Duration = Duration::from_secs(180);

/// The tools that the shop must offer.
pub(crate) const TOOLS: [&str; 13] = [
    "get_customer",
    "search_customers",
    "get_customers_batch",
    "create_customer",
    "get_order",
    "list_orders",
    "create_order",
    "cancel_order",
    "check_inventory",
    "list_products",
    "sales_report",
    "list_tickets",
    "get_product_usage",
];

/// The variable that would send the shop to somebody's own database.
pub(crate) const ELSEWHERE: &str = "SHOP_DATABASE_URL";

/// A copy of the shop.
pub(crate) struct Shop {
    /// Where it lies.
    pub(crate) folder: PathBuf,
}

impl Shop {
    /// Copies the shop into `folder`, without databases that earlier runs left in it.
    pub(crate) fn copy(workspace: &Workspace, folder: &Path) -> Result<Self> {
        copy(&workspace.root.join("examples/shop"), folder)?;
        Ok(Self { folder: folder.into() })
    }

    /// Its SQLite file, once it was served.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("data/shop.db")
    }

    /// The command that serves it over HTTP.
    pub(crate) fn serve(&self, callgate: &Path, port: u16) -> Command {
        let mut command = Command::new(callgate);
        command.arg("serve").arg(&self.folder).args(["--listen", &format!("127.0.0.1:{port}")]).current_dir(&self.folder);
        command.env_remove(ELSEWHERE);
        command
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "data" {
                copy(&entry.path(), &target)?;
            }
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
