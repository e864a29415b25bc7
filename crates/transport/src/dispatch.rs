//! What a request asks, answered: at once where the gate knows the answer by itself, by a call otherwise. Both eras and both
//! transports come through here.

use std::sync::Arc;

use bytes::Bytes;
use callgate_model::{Call, Catalog, Fault, Members, Outlet, Reply, Target};
use callgate_protocol::{Ask, Filter, Retry, RpcError, encode};
use tokio::sync::mpsc;

use crate::{
    desk::Desk,
    exchange::{Answer, Exchange, Leave, Wishes},
    fault::{self, Aim},
    lists,
    questions::{self, Round},
    visit::Visit,
};

/// How a request is answered.
pub(crate) enum Taken {
    /// This is the answer.
    Now(Answer),
    /// A call gives the answer.
    Later(Exchange),
    /// By a stream of these notices.
    Listen(Visit, Filter),
}

/// Takes a request.
pub(crate) fn take(desk: &Arc<Desk>, catalog: &Arc<Catalog>, visit: Visit, ask: Ask) -> Taken {
    match ask {
        Ask::Listen(filter) => Taken::Listen(visit, filter),
        Ask::CallTool { name, arguments, retry } => {
            let on_leave = Desk::on_leave(catalog, &name);
            later(desk, visit, Plan { target: Target::Tool(name), arguments, retry, aim: Aim::Tool, on_leave })
        }
        Ask::ReadResource { uri, retry } => {
            let aim = Aim::Resource(uri.clone());
            later(desk, visit, Plan { target: Target::Resource(uri), arguments: Members::new(), retry, aim, on_leave: Leave::Cancel })
        }
        Ask::GetPrompt { name, arguments, retry } => {
            later(desk, visit, Plan { target: Target::Prompt(name), arguments, retry, aim: Aim::Other, on_leave: Leave::Cancel })
        }
        Ask::Complete { of, argument, value, context } if catalog.completes() => {
            let target = Target::Completion { of, argument, value };
            let retry = Retry::default();
            later(desk, visit, Plan { target, arguments: context, retry, aim: Aim::Other, on_leave: Leave::Cancel })
        }
        ask => Taken::Now(at_once(desk, catalog, &visit, ask)),
    }
}

/// The answer to what needs no call.
fn at_once(desk: &Desk, catalog: &Catalog, visit: &Visit, ask: Ask) -> Answer {
    let identity = desk.gateway.identity();
    let frame = visit.frame(&identity);
    let answer = match ask {
        Ask::Discover => Ok(encode::discover(&frame, desk.capabilities(catalog), desk.fresh_lists())),
        Ask::Tools(page) => lists::tools(desk, catalog, visit, page.as_deref()),
        Ask::Prompts(page) => lists::prompts(desk, catalog, visit, page.as_deref()),
        Ask::Resources(page) => lists::resources(desk, catalog, visit, page.as_deref()),
        Ask::Templates(page) => lists::templates(desk, catalog, visit, page.as_deref()),
        Ask::Complete { .. } => Err(RpcError::method_not_found("completion/complete")),
        ask => match &visit.peer {
            Some(peer) => peer.remember(desk, &visit.caller, ask).map(|()| frame.empty()),
            None => Err(RpcError::invalid_request("this needs a session; send `initialize` first")),
        },
    };
    answer.map_or_else(|error| fault::refuse(&frame, error), Answer::ok)
}

/// A call that is to be made.
struct Plan {
    target: Target,
    arguments: Members,
    retry: Retry,
    aim: Aim,
    on_leave: Leave,
}

fn later(desk: &Arc<Desk>, mut visit: Visit, plan: Plan) -> Taken {
    let wishes = std::mem::take(&mut visit.wishes);
    // Without a listener there is nothing to say, and no channel is made.
    let listens = visit.peer.is_some() || wishes.progress.is_some() || wishes.level.is_some();
    let (outlet, signals) = if listens { channel(desk) } else { (Outlet::closed(), None) };
    let (ask, questions) = if visit.peer.is_some() {
        let (sender, receiver) = mpsc::channel(desk.config.ahead.max(1));
        (Some(sender), Some(receiver))
    } else {
        (None, None)
    };
    let on_leave = plan.on_leave;
    let work = Box::pin(run(desk.clone(), visit, plan, outlet, ask));
    Taken::Later(exchange(desk, work, wishes, on_leave, (signals, questions)))
}

type Channels = (Option<mpsc::Receiver<callgate_model::Signal>>, Option<mpsc::Receiver<Bytes>>);

fn exchange(desk: &Desk, work: crate::exchange::Work, wishes: Wishes, on_leave: Leave, (signals, questions): Channels) -> Exchange {
    Exchange {
        work: Some(work),
        signals,
        questions,
        wishes,
        furthest: f64::NEG_INFINITY,
        answer: None,
        on_leave,
        on_withdrawal: on_leave,
        withdrawal: None,
        tasks: desk.tasks.clone(),
        kill: desk.kill.clone(),
    }
}

fn channel(desk: &Desk) -> (Outlet, Option<mpsc::Receiver<callgate_model::Signal>>) {
    let (sender, receiver) = mpsc::channel(desk.config.ahead.max(1));
    (Outlet::new(sender), Some(receiver))
}

/// Makes the call, as often as it takes, and writes the reply.
async fn run(desk: Arc<Desk>, visit: Visit, plan: Plan, outlet: Outlet, ask: Option<mpsc::Sender<Bytes>>) -> Answer {
    let Plan { target, arguments, retry, aim, on_leave } = plan;
    let deadline = desk.deadline(&visit.caller);
    let mut call = Call::under(visit.request.clone(), target, arguments, visit.caller.clone(), visit.origin.clone(), deadline);
    call.client = visit.client.clone();
    call.outlet = outlet;
    let reply = match ask {
        None => once(&desk, &visit, call, retry, on_leave).await,
        Some(ask) => Box::pin(questions::until_done(&desk, &visit, call, &ask)).await,
    };
    let identity = desk.gateway.identity();
    let frame = visit.frame(&identity);
    match reply {
        Ok(reply) => Answer::ok(encode::reply(&frame, &reply, desk.fresh_resources())),
        Err(fault) => fault::answer(&fault, &aim, &frame, &visit.request),
    }
}

/// One round of a modern call: its questions travel in the reply, sealed with what was answered before.
async fn once(desk: &Desk, visit: &Visit, mut call: Call, retry: Retry, on_leave: Leave) -> Result<Reply, Fault> {
    let round = match Round::resume(desk, &mut call, retry, on_leave) {
        Ok(round) => round,
        Err(fault) => return Err(desk.gateway.refuse(call, fault).await),
    };
    match desk.gateway.call(call).await? {
        Reply::InputRequired(asked) => round.ask(desk, visit, asked).map(Reply::InputRequired),
        reply => Ok(reply),
    }
}
