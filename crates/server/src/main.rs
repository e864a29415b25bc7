//! The `callgate` command.

mod cli;

use std::process::ExitCode;

/// Many small values per call live briefly on several threads: that is what mimalloc is best at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
