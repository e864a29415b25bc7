//! Tools that say something before they answer: log messages, progress, changes of what is on offer.

use std::time::Duration;

use callgate::{Call, Change, Fault, Level, Reply, ToolReply};
use tokio::time::sleep;

use super::{Fixture, NOTHING};

/// The suite wants to see the messages arrive one by one.
const STEP: Duration = Duration::from_millis(50);

pub(super) const TOOLS: &[Fixture] = &[
    Fixture {
        name: "test_tool_with_logging",
        about: "Writes three messages to the client's log while it works.",
        input: NOTHING,
        run: |call| Box::pin(logging(call)),
    },
    Fixture {
        name: "test_logging_tool",
        about: "Writes one message to the client's log, which is heard only by those who asked for log messages.",
        input: NOTHING,
        run: |call| {
            Box::pin(async {
                call.log(Level::Info, "conformance", "A message for those who listen").await;
                Ok(ToolReply::text("Logged one message").into())
            })
        },
    },
    Fixture {
        name: "test_tool_with_progress",
        about: "Reports 0, 50 and 100 of 100 while it works.",
        input: NOTHING,
        run: |call| Box::pin(progress(call)),
    },
    Fixture {
        name: "test_reconnection",
        about: "Lets the client drop its connection and fetch the answer later.",
        input: NOTHING,
        run: |call| Box::pin(reconnection(call)),
    },
    Fixture {
        name: "test_trigger_tool_change",
        about: "Announces that the list of tools has changed.",
        input: NOTHING,
        run: |call| Box::pin(async { announce(call, Change::Tools) }),
    },
    Fixture {
        name: "test_trigger_prompt_change",
        about: "Announces that the list of prompts has changed.",
        input: NOTHING,
        run: |call| Box::pin(async { announce(call, Change::Prompts) }),
    },
];

async fn logging(call: &Call) -> Result<Reply, Fault> {
    for message in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        call.log(Level::Info, "conformance", message).await;
        sleep(STEP).await;
    }
    Ok(ToolReply::text("Tool with logging executed successfully").into())
}

async fn progress(call: &Call) -> Result<Reply, Fault> {
    for done in [0.0, 50.0, 100.0] {
        call.progress(done, Some(100.0), None).await;
        sleep(STEP).await;
    }
    Ok(ToolReply::text("Tool with progress executed successfully").into())
}

async fn reconnection(call: &Call) -> Result<Reply, Fault> {
    call.pause().await;
    sleep(2 * STEP).await;
    Ok(ToolReply::text("Reconnection test completed successfully").into())
}

fn announce(call: &Call, change: Change) -> Result<Reply, Fault> {
    call.notices.announce(change);
    Ok(ToolReply::text("Announced the change").into())
}
