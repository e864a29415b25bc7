//! The form of an answer. What it says is the asking backend's business; that it is an answer at all is checked here.

use callgate_model::{Fault, InputRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Sorts of questions, as far as their answers look different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Sort {
    /// `{action, content?}`
    User,
    /// `{role, content, …}`
    Sample,
    /// `{roots}`
    Roots,
}

impl Sort {
    /// The sort of `request`.
    pub(super) fn of(request: &InputRequest) -> Self {
        match request {
            InputRequest::Form { .. } | InputRequest::Url { .. } => Self::User,
            InputRequest::Sample(_) => Self::Sample,
            InputRequest::Roots => Self::Roots,
        }
    }
}

/// Refuses unless `value` can be the answer to a question of this sort.
pub(super) fn answer(sort: Sort, key: &str, value: &Value) -> Result<(), Fault> {
    let member = |name: &str| value.get(name);
    let expected = match sort {
        Sort::User => {
            let is_action = matches!(member("action").and_then(Value::as_str), Some("accept" | "decline" | "cancel"));
            (!is_action || member("content").is_some_and(|content| !content.is_object() && !content.is_null()))
                .then_some("an object with `action` (accept, decline or cancel) and, if accepted, an object `content`")
        }
        Sort::Sample => {
            let is_message = member("role").is_some_and(Value::is_string) && member("content").is_some();
            (!is_message).then_some("an object with `role` and `content`")
        }
        Sort::Roots => (!member("roots").is_some_and(Value::is_array)).then_some("an object with a list `roots`"),
    };
    expected.map_or(Ok(()), |expected| Err(wrong(key, expected)))
}

/// Refuses unless `value` is an object.
pub(super) fn object(key: &str, value: &Value) -> Result<(), Fault> {
    if value.is_object() { Ok(()) } else { Err(wrong(key, "an object")) }
}

fn wrong(key: &str, expected: &str) -> Fault {
    let key: String = key.chars().take(80).collect();
    Fault::request(format!("the answer to `{key}` must be {expected}")).because("an answer that it brought has the wrong form")
}
