//! The wish of the system that the process ends.

use std::future::Future;

/// Done when SIGTERM or SIGINT comes (Ctrl-C elsewhere). From the moment of this call on, they no longer end the process by
/// themselves. Where they cannot be listened to, it is never done.
///
/// # Panics
/// Outside of a Tokio runtime.
pub fn signals() -> impl Future<Output = ()> + Send {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
        async move {
            let (Ok(mut terminate), Ok(mut interrupt)) = signals else { return std::future::pending().await };
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
    }
    #[cfg(not(unix))]
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
