//! Two replicas of a gate over one PostgreSQL and one Redis, as processes: what holds when either is killed, and when what they share fails.
//!
//! Each test has servers of its own and the machine to itself: what is measured is the gate, not another test.

#[cfg(test)]
mod caller;
#[cfg(test)]
mod chance;
#[cfg(test)]
mod crossing;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod shaken;
#[cfg(test)]
mod stale;
#[cfg(test)]
mod world;
