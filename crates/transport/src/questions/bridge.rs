//! Asking a legacy client: a request of the server on the stream of the call, while the call waits for the answer.

use std::time::Duration;

use callgate_model::{Answers, Call, Fault, InputRequired, Kind, Reply, Target};
use callgate_protocol::{Ask, Body, Message, ask as read_ask, encode};
use futures_util::future::try_join_all;
use tokio::{sync::mpsc, time};

use super::{
    check::{self, Sort},
    require,
};
use crate::{desk::Desk, legacy::Peer, visit::Visit};

/// When to come back if too many calls wait for answers.
const LATER: Duration = Duration::from_secs(30);

/// Makes a call, and makes it again with the answers for as long as it asks.
pub(crate) async fn until_done(desk: &Desk, visit: &Visit, first: Call, say: &mpsc::Sender<bytes::Bytes>) -> Result<Reply, Fault> {
    let outlet = first.outlet.clone();
    let mut answers = Answers::new();
    let mut call = first;
    for _ in 0..desk.config.questions.rounds {
        let asked = match desk.gateway.call(call).await? {
            Reply::InputRequired(asked) => asked,
            reply => return Ok(reply),
        };
        require(visit, &asked)?;
        answers.extend(ask(desk, visit, &asked, say).await?);
        call = again(desk, visit)?;
        call.outlet = outlet.clone();
        call.answers.clone_from(&answers);
        call.state = asked.state;
    }
    match desk.gateway.call(call).await? {
        Reply::InputRequired(_) => Err(Fault::refused(format!("this was still asking after {} rounds", desk.config.questions.rounds))),
        reply => Ok(reply),
    }
}

/// One round of questions, all asked at once.
async fn ask(desk: &Desk, visit: &Visit, asked: &InputRequired, say: &mpsc::Sender<bytes::Bytes>) -> Result<Answers, Fault> {
    if asked.requests.is_empty() {
        time::sleep(desk.config.questions.pace.get()).await;
        return Ok(Answers::new());
    }
    let peer = visit.peer.as_deref().ok_or_else(|| Fault::internal("only a legacy client can be asked by a request"))?;
    let wait = desk.config.questions.wait.get();
    let _seat = desk.waits.take(visit.caller.key()).ok_or_else(|| Fault::overloaded("whoever answers questions", LATER))?;
    let legs = asked.requests.iter().map(|(key, request)| leg(peer, key, request, say));
    match time::timeout(wait, try_join_all(legs)).await {
        Ok(answers) => Ok(answers?.into_iter().collect()),
        Err(_) => Err(Fault::new(Kind::Timeout, format!("the client's side gave no answer within {wait:?}"))),
    }
}

/// One question and its answer.
async fn leg(
    peer: &Peer,
    key: &str,
    request: &callgate_model::InputRequest,
    say: &mpsc::Sender<bytes::Bytes>,
) -> Result<(String, serde_json::Value), Fault> {
    let gone = || Fault::refused("the client cannot be asked just now: the stream of this call is gone");
    let question = peer.expect_answer();
    say.send(encode::request(peer.revision, question.id(), request).into()).await.map_err(|_| gone())?;
    let value = match question.answer().await.ok_or_else(gone)? {
        Ok(value) => value,
        Err(error) => {
            let message: String = error.message.chars().take(200).collect();
            return Err(Fault::refused(format!("the client's side did not answer `{key}`: {message}")));
        }
    };
    check::answer(Sort::of(request), key, &value)?;
    Ok((key.to_owned(), value))
}

/// The call of `visit` once more, from the message itself: few calls ask or are refused, so that none keeps a copy of its arguments.
pub(crate) fn again(desk: &Desk, visit: &Visit) -> Result<Call, Fault> {
    let Ok(Body::One(Message::Request(mut request))) = callgate_protocol::read(&visit.raw, desk.config.limits()) else {
        return Err(Fault::request("a call within an array of messages cannot ask anything; send it by itself"));
    };
    let (target, arguments) = match read_ask(visit.revision, &mut request) {
        Ok(Ask::CallTool { name, arguments, .. }) => (Target::Tool(name), arguments),
        Ok(Ask::GetPrompt { name, arguments, .. }) => (Target::Prompt(name), arguments),
        Ok(Ask::ReadResource { uri, .. }) => (Target::Resource(uri), callgate_model::Members::new()),
        _ => return Err(Fault::internal("only tools, prompts and resources can ask")),
    };
    // The time that the client took to answer is not the call's: each round has the whole of it.
    let deadline = desk.deadline(&visit.caller);
    let mut call = Call::under(visit.request.clone(), target, arguments, visit.caller.clone(), visit.origin.clone(), deadline);
    call.client = visit.client.clone();
    Ok(call)
}
