//! How figures are read and put together.

use std::path::Path;

use super::{measure, scale, table};

#[test]
fn the_kernel_is_read() {
    let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 100 1 2";
    assert_eq!(measure::ticks(stat), Some(300));
    let memory = measure::resident("Name:\tx\nVmRSS:\t   20480 kB\nRssAnon:\t    4096 kB\n");
    assert_eq!(memory.map(|memory| memory.to_string()).as_deref(), Some("20.0 MB, of which 4.0 MB its own"));
}

#[test]
fn the_median_is_in_the_middle() {
    assert!((table::median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    assert!(table::median(&[]).is_nan());
}

#[test]
fn a_large_config_has_each_tool_once() {
    let text = scale::config(1_000, Path::new("shop.db"));
    assert_eq!(text.matches("    sql: SELECT").count(), 1_000);
    assert!(text.contains("  get_customer_00999:\n") && text.contains("^cust_[a-z0-9]{20}$"));
}
