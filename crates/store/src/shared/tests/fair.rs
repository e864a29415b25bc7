//! One who floods a quota that is divided fairly takes nothing from the others.

use std::time::Duration;

use tokio::time::advance;

use super::rate;
use crate::shared::{Claim, Config, Memory, Verdict};

/// Tenants that call so many times a second each, for a minute, on a quota of 100 a second; how many calls each had.
async fn simulate(per_second: &[u32]) -> Vec<u32> {
    const TICK: u32 = 1000;
    let memory = Memory::new(&Config::default());
    let rate = rate(100, Duration::from_secs(1), 100);
    let names: Vec<_> = (0..per_second.len()).map(|tenant| format!("tenant {tenant}")).collect();
    let (mut owed, mut had) = (vec![0; names.len()], vec![0; names.len()]);
    for _ in 0..60 * TICK {
        advance(Duration::from_secs(1) / TICK).await;
        for (tenant, name) in names.iter().enumerate() {
            owed[tenant] += per_second[tenant];
            while owed[tenant] >= TICK {
                owed[tenant] -= TICK;
                let claim = Claim { key: "all", rate, member: Some(name) };
                had[tenant] += u32::from(memory.take_now(&[claim]) == Verdict::Taken);
            }
        }
    }
    had
}

#[tokio::test(start_paused = true)]
async fn a_flood_leaves_the_others_their_part() {
    // Each asks for its part of 20 a second, the first for fifty times as much.
    let had = simulate(&[1000, 20, 20, 20, 20]).await;
    for quiet in &had[1..] {
        assert!(*quiet >= 20 * 60 * 9 / 10, "{had:?}");
    }
    let all: u32 = had.iter().sum();
    assert!((6000..=6200).contains(&all), "the quota holds, and all of it is used: {had:?}");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_uses_goes_to_whoever_asks() {
    let had = simulate(&[1000, 5, 5]).await;
    assert!(had[1] >= 295 && had[2] >= 295, "{had:?}");
    assert!(had[0] >= 90 * 60 * 98 / 100, "{had:?}");
    let all: u32 = had.iter().sum();
    assert!(all <= 6200, "{had:?}");
}

#[tokio::test(start_paused = true)]
async fn two_floods_share_evenly() {
    let had = simulate(&[1000, 3000]).await;
    assert!(had[0].abs_diff(had[1]) <= 150, "{had:?}");
}
